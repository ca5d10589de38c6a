// Workers on Container Apps: training as an event-driven job (0..N by the queue), serving as an app (0..M by requests).
param name string
param location string
param tags object
param workspaceId string
param appInsightsConnectionString string
param gpuProfile string
param image string
param registryServer string
param workerIdentityId string
param workerClientId string
param storageAccountName string
param pubSubEndpoint string
param workerKeySecretUri string
param maxTrainingJobs int
param minServingReplicas int
param maxServingReplicas int
param subnetId string

var hasImage = !empty(image)
var gpu = gpuProfile != 'none'
var profile = gpu ? gpuProfile : 'Consumption'
// A T4 profile has 8 vCPU and 56 GiB a replica, an A100 profile 24 and 220; without a GPU the largest consumption size.
var cpu = gpuProfile == 'Consumption-GPU-NC24-A100' ? '24' : (gpu ? '8' : '4')
var memory = gpuProfile == 'Consumption-GPU-NC24-A100' ? '220Gi' : (gpu ? '56Gi' : '8Gi')

resource environment 'Microsoft.App/managedEnvironments@2024-10-02-preview' = {
  name: 'cae-langtrain-${name}'
  location: location
  tags: tags
  properties: {
    // Through Azure Monitor's diagnostic settings below: the other way wants the workspace's key.
    appLogsConfiguration: { destination: 'azure-monitor' }
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: true }
    workloadProfiles: concat(
      [{ name: 'Consumption', workloadProfileType: 'Consumption' }],
      gpu ? [{ name: gpuProfile, workloadProfileType: gpuProfile }] : []
    )
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

var settings = [
  { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
  { name: 'AZURE_CLIENT_ID', value: workerClientId }
  { name: 'LANGTRAIN_WEBPUBSUB_ENDPOINT', value: pubSubEndpoint }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: appInsightsConnectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${workerClientId};Authorization=AAD' }
  { name: 'LANGTRAIN_WORKER_URL', value: 'http://0.0.0.0:8080' }
  { name: 'LANGTRAIN_WORKER_KEY', secretRef: 'worker-key' }
]
var secrets = [{ name: 'worker-key', keyVaultUrl: workerKeySecretUri, identity: workerIdentityId }]
var registries = [{ server: registryServer, identity: workerIdentityId }]
var probes = [
  { type: 'Startup', httpGet: { path: '/health', port: 8080 }, periodSeconds: 5, failureThreshold: 60 }
  { type: 'Liveness', httpGet: { path: '/health', port: 8080 }, periodSeconds: 20, failureThreshold: 5 }
]

resource training 'Microsoft.App/jobs@2024-10-02-preview' = if (hasImage) {
  name: 'caj-langtrain-${name}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${workerIdentityId}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: profile
    configuration: {
      triggerType: 'Event'
      // A day; a longer job is given back at SIGTERM with a checkpoint and goes on in the next execution.
      replicaTimeout: 86400
      replicaRetryLimit: 0
      registries: registries
      secrets: secrets
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: maxTrainingJobs
          pollingInterval: 10
          rules: [
            {
              name: 'training-jobs'
              type: 'azure-queue'
              identity: workerIdentityId
              // Messages stay in the queue while their execution runs, as this scaler counts them.
              metadata: { accountName: storageAccountName, queueName: 'training-jobs', queueLength: '1' }
            }
          ]
        }
      }
    }
    template: {
      containers: [
        {
          name: 'worker'
          image: image
          resources: { cpu: json(cpu), memory: memory }
          env: concat(settings, [{ name: 'LANGTRAIN_WORKER_ROLE', value: 'train-one' }])
        }
      ]
    }
  }
}

resource serving 'Microsoft.App/containerApps@2024-10-02-preview' = if (hasImage) {
  name: 'ca-langtrain-${name}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${workerIdentityId}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: profile
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
      secrets: secrets
      // Every call carries the worker key; in a private network the address is not public either.
      ingress: { external: true, targetPort: 8080, transport: 'auto', allowInsecure: false }
    }
    template: {
      // Streams that run when a replica goes are given time to end.
      terminationGracePeriodSeconds: 120
      containers: [
        {
          name: 'worker'
          image: image
          resources: { cpu: json(cpu), memory: memory }
          env: concat(settings, [{ name: 'LANGTRAIN_WORKER_ROLE', value: 'serve' }])
          probes: probes
        }
      ]
      scale: {
        minReplicas: minServingReplicas
        maxReplicas: maxServingReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '16' } } }]
      }
    }
  }
}

@description('Domain below which the environment\'s apps have their names, and the address that answers for them.')
output domain string = environment.properties.defaultDomain
output staticIp string = environment.properties.staticIp
output servingUrl string = hasImage ? 'https://${serving!.properties.configuration.ingress.fqdn}' : ''
