// The secrets that no identity can replace: the key between app and workers, the first account's API key, and what webhook secrets are derived from.
param vaultName string
param location string
param tags object
param workspaceId string
@description('True when a vault of this name was deleted and can still be had back: it is, with its secrets.')
param recover bool
@secure()
param workerKey string
@secure()
param bootstrapApiKey string
@secure()
param signingKey string
param privateNetwork bool
param endpointSubnetId string
param virtualNetworkId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    createMode: recover ? 'recover' : 'default'
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }

  // Made once: a later deployment brings new values, and they are not taken. Webhook secrets and the first key stay as they are.
  @onlyIfNotExists()
  resource workerKeySecret 'secrets' = {
    name: 'worker-key'
    properties: { value: workerKey, contentType: 'text/plain' }
  }

  @onlyIfNotExists()
  resource bootstrapSecret 'secrets' = {
    name: 'bootstrap-api-key'
    properties: { value: bootstrapApiKey, contentType: 'text/plain' }
  }

  @onlyIfNotExists()
  resource signingKeySecret 'secrets' = {
    name: 'signing-key'
    properties: { value: signingKey, contentType: 'text/plain' }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'audit', enabled: true }] }
}

module endpoint 'private-endpoint.bicep' = if (privateNetwork) {
  name: 'vault-endpoint'
  params: {
    name: vaultName
    location: location
    tags: tags
    targetId: vault.id
    groupId: 'vault'
    zoneName: 'privatelink.vaultcore.azure.net'
    subnetId: endpointSubnetId
    virtualNetworkId: virtualNetworkId
  }
}

output vaultName string = vault.name
// Addresses, not values; without a version, so that a rotated secret is picked up.
#disable-next-line outputs-should-not-contain-secrets
output workerKeySecretUri string = '${vault.properties.vaultUri}secrets/${vault::workerKeySecret.name}'
#disable-next-line outputs-should-not-contain-secrets
output bootstrapKeySecretUri string = '${vault.properties.vaultUri}secrets/${vault::bootstrapSecret.name}'
#disable-next-line outputs-should-not-contain-secrets
output signingKeySecretUri string = '${vault.properties.vaultUri}secrets/${vault::signingKeySecret.name}'
