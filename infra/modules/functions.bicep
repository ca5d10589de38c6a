// The app on Flex Consumption: scales to zero, always-ready instances off by default.
param appName string
param location string
param tags object
param workspaceId string
param appInsightsConnectionString string
param identityId string
param identityClientId string
param storageAccountName string
param deploymentContainer string
param pubSubEndpoint string
param pubSubPrincipalId string
param workerUrl string
param workerKeySecretUri string
param bootstrapKeySecretUri string
param signingKeySecretUri string
param subnetId string
param alwaysReadyInstances int

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${appName}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = { name: storageAccountName }

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: appName
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: 100
        instanceMemoryMB: 2048
        // One more group for orchestrations would be billed too; the HTTP group is what people wait for.
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
    }
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      AzureWebJobsStorage__accountName: storageAccountName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      // DefaultAzureCredential takes this identity; there is no other.
      AZURE_CLIENT_ID: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: appInsightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      LANGTRAIN_WEBPUBSUB_ENDPOINT: pubSubEndpoint
      LANGTRAIN_WEBPUBSUB_PRINCIPAL_ID: pubSubPrincipalId
      AZURE_TENANT_ID: tenant().tenantId
      LANGTRAIN_WORKER_URL: workerUrl
      LANGTRAIN_WORKER_KEY: '@Microsoft.KeyVault(SecretUri=${workerKeySecretUri})'
      LANGTRAIN_BOOTSTRAP_API_KEY: '@Microsoft.KeyVault(SecretUri=${bootstrapKeySecretUri})'
      LANGTRAIN_SIGNING_KEY: '@Microsoft.KeyVault(SecretUri=${signingKeySecretUri})'
      LANGTRAIN_BOOTSTRAP_TIER: 'enterprise'
      LANGTRAIN_ALLOW_PRIVATE_URLS: 'false'
    }
  }
}

// Publishing is by identity too.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noBasicScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: { workspaceId: workspaceId, metrics: [{ category: 'AllMetrics', enabled: true }] }
}

output appName string = app.name
output hostName string = app.properties.defaultHostName
