// Images of the worker; pulled by identity, admin user off.
param registryName string
param location string
param tags object

resource registry 'Microsoft.ContainerRegistry/registries@2023-11-01-preview' = {
  name: registryName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { adminUserEnabled: false, anonymousPullEnabled: false }
}

output registryName string = registry.name
output loginServer string = registry.properties.loginServer
