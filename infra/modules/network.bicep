// Subnets for the app (delegated to Flex Consumption), the workers (delegated to Container Apps) and private endpoints.
param name string
param location string
param tags object

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-langtrain-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/16'] }
    subnets: [
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.20.0.0/24', privateEndpointNetworkPolicies: 'Enabled' }
      }
      {
        name: 'functions'
        properties: {
          addressPrefix: '10.20.1.0/24'
          // Flex Consumption runs on Container Apps' network stack and asks for its delegation.
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'containers'
        properties: {
          addressPrefix: '10.20.2.0/23'
          delegations: [{ name: 'environment', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
    ]
  }
}

output virtualNetworkId string = network.id
output endpointSubnetId string = '${network.id}/subnets/endpoints'
output functionsSubnetId string = '${network.id}/subnets/functions'
output containersSubnetId string = '${network.id}/subnets/containers'
