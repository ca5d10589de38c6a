// Names of the private Container Apps environment, for the app in the same network.
param tags object
param domain string
param staticIp string
param virtualNetworkId string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: domain
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: 'langtrain'
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: virtualNetworkId } }
  }

  resource all 'A' = {
    name: '*'
    properties: { ttl: 300, aRecords: [{ ipv4Address: staticIp }] }
  }
}
