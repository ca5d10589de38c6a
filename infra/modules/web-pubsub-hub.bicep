// Tells the app of every new connection, so that it replays what happened before to that connection alone.
param pubSubName string
param functionsHostName string

resource pubSub 'Microsoft.SignalRService/webPubSub@2024-03-01' existing = {
  name: pubSubName

  resource hub 'hubs' = {
    name: 'jobs'
    properties: {
      anonymousConnectPolicy: 'deny'
      eventHandlers: [
        {
          urlTemplate: 'https://${functionsHostName}/v1/hubs/jobs/events'
          systemEvents: ['connected']
          // The app believes the token of this service's own identity and no other (RelayEventToken).
          auth: { type: 'ManagedIdentity', managedIdentity: { resource: 'https://webpubsub.azure.com' } }
        }
      ]
    }
  }
}
