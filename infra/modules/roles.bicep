// Who may do what, on the narrowest scope. Role ids: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
param storageAccountName string
param vaultName string
param pubSubName string
param registryName string
param appInsightsName string
param appPrincipalId string
param workerPrincipalId string
param deployerPrincipalId string

// Reads, writes and deletes blobs and their leases. The Functions host itself keeps locks in blobs.
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
// Reads, writes and deletes blobs.
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
// Sends, receives, deletes messages and makes queues (Durable makes its own).
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
// Reads and writes rows and makes tables.
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
// Reads values of secrets.
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
// Sends messages and makes client tokens.
var webPubSubServiceOwner = '12cf5a90-567b-43ae-8102-96cf46c7d9b4'
// Pulls images.
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
// Pushes images.
var acrPush = '8311e382-0749-4cb8-b61a-304f252e45ec'
// Sends telemetry.
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = { name: storageAccountName }
resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: vaultName }
resource workerKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = { parent: vault, name: 'worker-key' }
resource bootstrapSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = { parent: vault, name: 'bootstrap-api-key' }
resource pubSub 'Microsoft.SignalRService/webPubSub@2024-03-01' existing = { name: pubSubName }
resource registry 'Microsoft.ContainerRegistry/registries@2023-11-01-preview' existing = { name: registryName }
resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: appInsightsName }

var onStorage = concat(
  map([storageBlobDataOwner, storageQueueDataContributor, storageTableDataContributor], role => { role: role, who: appPrincipalId, type: 'ServicePrincipal' }),
  map([storageBlobDataContributor, storageQueueDataContributor, storageTableDataContributor], role => { role: role, who: workerPrincipalId, type: 'ServicePrincipal' }),
  // To push base models and the app's package.
  empty(deployerPrincipalId) ? [] : [{ role: storageBlobDataContributor, who: deployerPrincipalId, type: '' }]
)

resource storageRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for entry in onStorage: {
    name: guid(storage.id, entry.who, entry.role)
    scope: storage
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', entry.role)
      principalId: entry.who
      principalType: empty(entry.type) ? null : entry.type
    }
  }
]

// The app reads all secrets; a worker reads only its own.
resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource workerSecret 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workerKeySecret.id, workerPrincipalId, keyVaultSecretsUser)
  scope: workerKeySecret
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// To read the first API key.
resource deployerSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(vault.id, deployerPrincipalId, keyVaultSecretsUser)
  scope: bootstrapSecret
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: deployerPrincipalId
  }
}

resource pubSubRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for who in [appPrincipalId, workerPrincipalId]: {
    name: guid(pubSub.id, who, webPubSubServiceOwner)
    scope: pubSub
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', webPubSubServiceOwner)
      principalId: who
      principalType: 'ServicePrincipal'
    }
  }
]

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, workerPrincipalId, acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource push 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(registry.id, deployerPrincipalId, acrPush)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPush)
    principalId: deployerPrincipalId
  }
}

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for who in [appPrincipalId, workerPrincipalId]: {
    name: guid(insights.id, who, monitoringMetricsPublisher)
    scope: insights
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
      principalId: who
      principalType: 'ServicePrincipal'
    }
  }
]
