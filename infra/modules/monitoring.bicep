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
    query: 'traces | where customDimensions.EventName == "FineTuneFailed" and customDimensions.Code in ("internal_error", "worker_lost")'
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

output workspaceId string = workspace.id
output appInsightsName string = insights.name
output appInsightsConnectionString string = insights.properties.ConnectionString
