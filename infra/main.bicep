// LangTrain on Azure: one deployment makes the resource group and everything in it.
// Identities instead of keys everywhere; the two secrets that remain (worker key, first API key) live in Key Vault.
targetScope = 'subscription'

@description('Short name of this installation: lower-case letters and digits. Part of every resource name.')
@minLength(3)
@maxLength(12)
param name string

@description('Azure region. GPU profiles of Container Apps are offered in some regions only: see README.md beside this file.')
param location string

@description('GPU workload profile of the workers, or "none" for workers on CPU (no quota needed).')
@allowed(['Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100', 'none'])
param gpuProfile string = 'none'

@description('Worker image, such as myregistry.azurecr.io/langtrain-worker:1.0. Empty on the first pass, before the registry exists: workers are left out.')
param workerImage string = ''

@description('Most training jobs at once: replicas of the worker job.')
@minValue(1)
@maxValue(1000)
param maxTrainingJobs int = 10

@description('Serving replicas that stay up when nobody asks: 0 is cheapest, 1 answers at once.')
@minValue(0)
@maxValue(10)
param minServingReplicas int = 0

@description('Instances of the app that never sleep: 0 is cheapest and pays a cold start after idle time.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('Serving replicas at most.')
@minValue(1)
@maxValue(100)
param maxServingReplicas int = 5

@description('Storage, Key Vault and workers behind private endpoints and a virtual network.')
param privateNetwork bool = false

@description('Monthly budget of the resource group in the currency of the subscription. 0 makes none.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the budget, first of a month, yyyy-MM-01.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('Who is told of alerts and of the budget.')
param alertEmail string = ''

@description('Key between the app and its workers. The deploy script makes one and never shows it.')
@secure()
param workerKey string

@description('API key of the first account. The deploy script makes one and says where to read it.')
@secure()
param bootstrapApiKey string

@description('What webhook secrets are derived from. The deploy script makes one and never shows it.')
@secure()
param signingKey string

@description('The vault of an installation of this name was deleted in the last seven days: have it back.')
param recoverVault bool = false

@description('Copies of what is stored: in three zones of the region (ZRS), or in one place where a region has no zones (LRS).')
@allowed(['Standard_ZRS', 'Standard_LRS', 'Standard_GZRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Units of Web PubSub, billed by the day: 1,000 watchers each. 0 takes the free tier: 20 watchers, 20,000 messages a day.')
@minValue(0)
@maxValue(100)
param pubSubUnits int = 1

@description('Object id of the person or pipeline that deploys, to push base models and to read the first key. Empty: nobody.')
param deployerPrincipalId string = ''

@description('Tags on every resource.')
param tags object = {}

var allTags = union({ product: 'langtrain', installation: name }, tags)
// Thirteen characters that are the same at every deployment of this installation and differ between subscriptions.
var unique = uniqueString(subscription().subscriptionId, name, location)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-langtrain-${name}'
  location: location
  tags: allTags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { name: name, location: location, tags: allTags, alertEmail: alertEmail }
}

module identities 'modules/identity.bicep' = {
  scope: group
  params: { name: name, location: location, tags: allTags }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  params: { name: name, location: location, tags: allTags }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    accountName: take('lt${name}${unique}', 24)
    redundancy: storageRedundancy
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    privateNetwork: privateNetwork
    endpointSubnetId: privateNetwork ? network!.outputs.endpointSubnetId : ''
    virtualNetworkId: privateNetwork ? network!.outputs.virtualNetworkId : ''
  }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    vaultName: take('kv-lt-${name}-${unique}', 24)
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    workerKey: workerKey
    bootstrapApiKey: bootstrapApiKey
    signingKey: signingKey
    recover: recoverVault
    privateNetwork: privateNetwork
    endpointSubnetId: privateNetwork ? network!.outputs.endpointSubnetId : ''
    virtualNetworkId: privateNetwork ? network!.outputs.virtualNetworkId : ''
  }
}

module webPubSub 'modules/web-pubsub.bicep' = {
  scope: group
  params: {
    pubSubName: take('wps-langtrain-${name}-${unique}', 63)
    units: pubSubUnits
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  scope: group
  params: { registryName: take('lt${name}${unique}', 50), location: location, tags: allTags }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    storageAccountName: storage.outputs.accountName
    vaultName: vault.outputs.vaultName
    pubSubName: webPubSub.outputs.pubSubName
    registryName: registry.outputs.registryName
    appInsightsName: monitoring.outputs.appInsightsName
    appPrincipalId: identities.outputs.appPrincipalId
    workerPrincipalId: identities.outputs.workerPrincipalId
    deployerPrincipalId: deployerPrincipalId
  }
}

module containers 'modules/containers.bicep' = {
  scope: group
  params: {
    name: name
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appInsightsConnectionString: monitoring.outputs.appInsightsConnectionString
    gpuProfile: gpuProfile
    image: workerImage
    registryServer: registry.outputs.loginServer
    workerIdentityId: identities.outputs.workerId
    workerClientId: identities.outputs.workerClientId
    storageAccountName: storage.outputs.accountName
    pubSubEndpoint: webPubSub.outputs.endpoint
    workerKeySecretUri: vault.outputs.workerKeySecretUri
    maxTrainingJobs: maxTrainingJobs
    minServingReplicas: minServingReplicas
    maxServingReplicas: maxServingReplicas
    subnetId: privateNetwork ? network!.outputs.containersSubnetId : ''
  }
  // A worker that starts before its roles exist cannot pull its image or read its key.
  dependsOn: [roles]
}

// Workers in a private environment are found by a name of its own domain, which only this zone resolves.
module containersDns 'modules/containers-dns.bicep' = if (privateNetwork) {
  scope: group
  params: {
    tags: allTags
    domain: containers.outputs.domain
    staticIp: containers.outputs.staticIp
    virtualNetworkId: network!.outputs.virtualNetworkId
  }
}

module functions 'modules/functions.bicep' = {
  scope: group
  params: {
    appName: take('func-langtrain-${name}-${unique}', 60)
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appInsightsConnectionString: monitoring.outputs.appInsightsConnectionString
    identityId: identities.outputs.appId
    identityClientId: identities.outputs.appClientId
    storageAccountName: storage.outputs.accountName
    deploymentContainer: storage.outputs.deploymentContainer
    pubSubEndpoint: webPubSub.outputs.endpoint
    pubSubPrincipalId: webPubSub.outputs.principalId
    alwaysReadyInstances: alwaysReadyInstances
    workerUrl: containers.outputs.servingUrl
    workerKeySecretUri: vault.outputs.workerKeySecretUri
    bootstrapKeySecretUri: vault.outputs.bootstrapKeySecretUri
    signingKeySecretUri: vault.outputs.signingKeySecretUri
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : ''
  }
  dependsOn: [roles]
}

module events 'modules/web-pubsub-hub.bicep' = {
  scope: group
  params: { pubSubName: webPubSub.outputs.pubSubName, functionsHostName: functions.outputs.hostName }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  scope: group
  params: { name: name, amount: monthlyBudget, start: budgetStart, email: alertEmail }
}

@description('Base address of the API.')
output apiUrl string = 'https://${functions.outputs.hostName}/v1'
output resourceGroup string = group.name
output functionsApp string = functions.outputs.appName
output storageAccount string = storage.outputs.accountName
output registry string = registry.outputs.loginServer
output keyVault string = vault.outputs.vaultName
