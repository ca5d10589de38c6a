// Logs, traces, metrics; alerts to one address.
param name string
param location string
param tags object
param alertEmail string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-langtrain-${name}'
  location: location
  tags: tags
  properties: { sku: { name: 'PerGB2018' }, retentionInDays: 30, features: { disableLocalAuth: true } }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-langtrain-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // Telemetry is sent under the senders' identities.
    DisableLocalAuth: true
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-langtrain-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'langtrain'
    enabled: true
    emailReceivers: [{ name: 'owner', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

var alerts = [
  {
    name: 'failed-jobs'
    description: 'Fine-tunes failed for reasons that are not their owners\'.'
    query: 'customMetrics | where name == "langtrain.fine_tunes.moved" and tostring(customDimensions.status) == "failed" and tostring(customDimensions.code) in ("internal_error", "worker_lost", "verification_failed")'
  }
  {
    name: 'server-errors'
    description: 'The API answered with 5xx.'
    query: 'requests | where toint(resultCode) >= 500'
  }
  {
    name: 'poison-messages'
    description: 'A message was given up after all its deliveries.'
    query: 'traces | where message has "poison"'
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: if (!empty(alertEmail)) {
    name: 'alert-langtrain-${name}-${alert.name}'
    location: location
    tags: tags
    properties: {
      description: alert.description
      severity: 2
      enabled: true
      scopes: [insights.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [{ query: alert.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

// The picture that one opens first: requests, jobs, training, serving.
resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'langtrain-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'LangTrain ${name}'
    category: 'workbook'
    sourceId: insights.id
    serializedData: loadTextContent('../workbook.json')
  }
}

output workspaceId string = workspace.id
output appInsightsName string = insights.name
output appInsightsConnectionString string = insights.properties.ConnectionString
