// One storage account: blobs (datasets, models, checkpoints, events), tables, queues, and the Durable task hub.
param accountName string
param location string
param tags object
param workspaceId string
param redundancy string
param privateNetwork bool
param endpointSubnetId string
param virtualNetworkId string

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    // No account keys: every caller is an identity with a role.
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowCrossTenantReplication: false
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    // The others are made by the app when they are first needed; these two are needed before it runs.
    resource deployment 'containers' = { name: 'app-package' }
    resource baseModels 'containers' = { name: 'base-models' }
  }

  resource queues 'queueServices' = {
    name: 'default'

    // The scaler of the training job looks at this queue from the first minute.
    resource training 'queues' = { name: 'training-jobs' }
  }

  resource tables 'tableServices' = { name: 'default' }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'checkpoints-leave'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['checkpoints/'] }
              // A finished job keeps its last checkpoint for a month; its model is elsewhere and stays.
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
            }
          }
        ]
      }
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account::blobs
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account::queues
  properties: { workspaceId: workspaceId, metrics: [{ category: 'Transaction', enabled: true }] }
}

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account::tables
  properties: { workspaceId: workspaceId, metrics: [{ category: 'Transaction', enabled: true }] }
}

module endpoints 'private-endpoint.bicep' = [
  for service in ['blob', 'queue', 'table']: if (privateNetwork) {
    name: 'storage-${service}-endpoint'
    params: {
      name: '${accountName}-${service}'
      location: location
      tags: tags
      targetId: account.id
      groupId: service
      zoneName: 'privatelink.${service}.${environment().suffixes.storage}'
      subnetId: endpointSubnetId
      virtualNetworkId: virtualNetworkId
    }
  }
]

output accountName string = account.name
output deploymentContainer string = account::blobs::deployment.name
