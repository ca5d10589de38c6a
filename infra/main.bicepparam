// A starting point: copy, change, and give to deploy.sh with --parameters.
using 'main.bicep'

param name = 'demo'
param location = 'swedencentral'
param gpuProfile = 'none'
param minServingReplicas = 0
param monthlyBudget = 0
// All are made by deploy.sh and handed over in the environment, so that no file ever holds them.
param workerKey = readEnvironmentVariable('LANGTRAIN_WORKER_KEY')
param bootstrapApiKey = readEnvironmentVariable('LANGTRAIN_BOOTSTRAP_API_KEY')
param signingKey = readEnvironmentVariable('LANGTRAIN_SIGNING_KEY')
