// Live events of jobs. No access keys: the app and the workers send under their identities.
param pubSubName string
param location string
param tags object
param workspaceId string
@description('0: the free tier.')
param units int

resource pubSub 'Microsoft.SignalRService/webPubSub@2024-03-01' = {
  name: pubSubName
  location: location
  tags: tags
  sku: units == 0 ? { name: 'Free_F1', capacity: 1 } : { name: 'Standard_S1', capacity: units }
  identity: { type: 'SystemAssigned' }
  properties: { disableLocalAuth: true, disableAadAuth: false, publicNetworkAccess: 'Enabled', tls: { clientCertEnabled: false } }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: pubSub
  properties: { workspaceId: workspaceId, metrics: [{ category: 'AllMetrics', enabled: true }] }
}

output pubSubName string = pubSub.name
@description('Object id of the service\'s own identity, which signs its events.')
output principalId string = pubSub.identity.principalId
output endpoint string = 'https://${pubSub.properties.hostName}'
