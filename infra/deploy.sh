#!/usr/bin/env bash
# Deploys LangTrain to an Azure subscription, or removes it again.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
root="$(dirname "$here")"

usage() {
  cat <<'TEXT'
Usage: infra/deploy.sh deploy  --name NAME --location REGION [options]
       infra/deploy.sh push-model --name NAME --folder FOLDER --id ORG/MODEL [--in-network]
       infra/deploy.sh destroy --name NAME [--yes]

deploy makes or updates everything: resources (shown first as a what-if), the app, the worker image.
push-model copies a base model in Hugging Face layout to blob storage and registers it; into a deployment
with --private only from inside its virtual network, which --in-network says.
destroy deletes the resource group with everything in it.

Options of deploy:
  --gpu PROFILE      Consumption-GPU-NC8as-T4, Consumption-GPU-NC24-A100, or none (default: none)
  --private          private endpoints and a virtual network
  --redundancy SKU   Standard_ZRS, Standard_GZRS, or Standard_LRS for regions without zones (default: Standard_ZRS)
  --pubsub-units N   Web PubSub: 1,000 watchers a unit, billed by the day; 0 is the free tier for 20 (default: 1)
  --min-serving N    serving replicas that stay up (default: 0)
  --always-ready N   instances of the app that never sleep (default: 0, with a cold start after idle time)
  --budget N         monthly budget
  --email ADDRESS    who hears of alerts and of the budget
  --skip-image       leave the worker image as it is
  --yes              do not ask after the what-if

Needs: az (signed in), dotnet 10, openssl, python3. The image is built in the registry, no local engine is needed.
TEXT
}

die() { echo "deploy.sh: $*" >&2; exit 2; }
need() { command -v "$1" >/dev/null 2>&1 || die "'$1' is not on the PATH. $2"; }

command="${1:-}"
case "$command" in
  -h|--help|help) usage; exit 0 ;;
  deploy|push-model|destroy) shift ;;
  "") usage >&2; exit 2 ;;
  *) die "unknown command '$command'. Allowed: deploy, push-model, destroy. See --help." ;;
esac

name="" location="" gpu="none" private="false" redundancy="Standard_ZRS" pubsub_units="1" min_serving="0" always_ready="0" budget="0" email="" image="true" yes="false" folder="" model="" in_network="false"
while [ $# -gt 0 ]; do
  option="$1"
  case "$option" in
    --private) private="true"; shift; continue ;;
    --skip-image) image="false"; shift; continue ;;
    --in-network) in_network="true"; shift; continue ;;
    --yes) yes="true"; shift; continue ;;
    -h|--help) usage; exit 0 ;;
  esac
  [ $# -ge 2 ] || die "$option needs a value, or is not known. See --help."
  case "$option" in
    --name) name="$2" ;;
    --location) location="$2" ;;
    --gpu) gpu="$2" ;;
    --redundancy) redundancy="$2" ;;
    --pubsub-units) pubsub_units="$2" ;;
    --min-serving) min_serving="$2" ;;
    --always-ready) always_ready="$2" ;;
    --budget) budget="$2" ;;
    --email) email="$2" ;;
    --folder) folder="$2" ;;
    --id) model="$2" ;;
    *) die "unknown option '$option'. See --help." ;;
  esac
  shift 2
done

[[ "$name" =~ ^[a-z][a-z0-9]{2,11}$ ]] || die "--name is '$name'; it must be 3 to 12 lower-case letters and digits, a letter first."
[[ "$min_serving" =~ ^([0-9]|10)$ ]] || die "--min-serving is '$min_serving'; it must be a whole number from 0 to 10."
[[ "$always_ready" =~ ^([0-9]|1[0-9]|20)$ ]] || die "--always-ready is '$always_ready'; it must be a whole number from 0 to 20."
[[ "$pubsub_units" =~ ^(0|1|2|5|10|20|50|100)$ ]] || die "--pubsub-units is '$pubsub_units'; the service has 0 (free), 1, 2, 5, 10, 20, 50 and 100."
case "$redundancy" in
  Standard_ZRS|Standard_GZRS|Standard_LRS) ;;
  *) die "--redundancy is '$redundancy'; allowed are Standard_ZRS, Standard_GZRS, Standard_LRS." ;;
esac
[[ "$budget" =~ ^[0-9]+$ ]] || die "--budget is '$budget'; it must be a whole number."
case "$gpu" in
  none|Consumption-GPU-NC8as-T4|Consumption-GPU-NC24-A100) ;;
  *) die "--gpu is '$gpu'; allowed are none, Consumption-GPU-NC8as-T4, Consumption-GPU-NC24-A100." ;;
esac
group="rg-langtrain-$name"

sign_in() {
  need az "See learn.microsoft.com/cli/azure/install-azure-cli."
  az account show >/dev/null 2>&1 || die "az is not signed in. Run: az login"
}

confirm() {
  [ "$yes" = "true" ] && return
  read -r -p "$1 [y/N] " answer
  [ "$answer" = "y" ] || die "stopped; nothing was changed."
}

output() { az deployment sub show --name "langtrain-$name" --query "properties.outputs.$1.value" -o tsv; }

template() {
  # The secrets go through the environment of the parameter file, never through a command line.
  az deployment sub "$1" --name "langtrain-$name" --location "$location" --parameters "$here/main.bicepparam" \
    --parameters name="$name" location="$location" gpuProfile="$gpu" privateNetwork="$private" minServingReplicas="$min_serving" alwaysReadyInstances="$always_ready" \
    monthlyBudget="$budget" alertEmail="$email" workerImage="$2" deployerPrincipalId="$deployer" \
    storageRedundancy="$redundancy" pubSubUnits="$pubsub_units" recoverVault="$recover" "${@:3}"
}

deploy() {
  [ -n "$location" ] || die "--location is missing, for example --location swedencentral."
  sign_in
  need dotnet "The .NET 10 SDK builds the app."
  need openssl "It makes the secrets."
  need python3 "It packs the app."
  deployer="$(az ad signed-in-user show --query id -o tsv 2>/dev/null || true)"
  # For the vault's first time: it keeps the secrets that it has.
  LANGTRAIN_WORKER_KEY="$(openssl rand -hex 24)"
  LANGTRAIN_BOOTSTRAP_API_KEY="lt-$(openssl rand -hex 24)"
  LANGTRAIN_SIGNING_KEY="$(openssl rand -hex 24)"
  export LANGTRAIN_WORKER_KEY LANGTRAIN_BOOTSTRAP_API_KEY LANGTRAIN_SIGNING_KEY

  # A vault outlives its group for seven days, and its name is taken as long.
  recover="false"
  [ -z "$(az keyvault list-deleted --resource-type vault --query "[?properties.tags.product=='langtrain' && properties.tags.installation=='$name' && properties.location=='$location'].name" -o tsv 2>/dev/null)" ] || recover="true"

  local current="" registry tag
  registry="$(output registry 2>/dev/null || true)"
  [ -z "$registry" ] || current="$(az acr repository show-tags --name "${registry%%.*}" --repository langtrain-worker --orderby time_desc --top 1 -o tsv 2>/dev/null || true)"
  [ -z "$current" ] || current="$registry/langtrain-worker:$current"

  echo "== What would change"
  template what-if "$current"
  confirm "Deploy this?"
  echo "== Resources"
  template create "$current" --output none
  recover="false" # There is one now.

  if [ "$image" = "true" ]; then
    echo "== Worker image"
    registry="$(output registry)"
    tag="$(date -u +%Y%m%d%H%M%S)"
    local target="cpu"
    [ "$gpu" = "none" ] || target="cuda"
    az acr build --registry "${registry%%.*}" --image "langtrain-worker:$tag" --target "$target" --file "$root/src/LangTrain.Worker/Dockerfile" "$root"
    template create "$registry/langtrain-worker:$tag" --output none
  fi

  echo "== App"
  local package
  package="$(mktemp -d)"
  # shellcheck disable=SC2064 # The folder's name as it is now.
  trap "rm -rf '$package'" EXIT
  dotnet publish "$root/src/LangTrain.Functions" -c Release -p:FunctionsHost=azure -r linux-x64 --no-self-contained -o "$package/app"
  (cd "$package/app" && python3 -c 'import shutil; shutil.make_archive("../app", "zip", ".")')
  az functionapp deployment source config-zip --resource-group "$group" --name "$(output functionsApp)" --src "$package/app.zip" --output none

  echo "== Ready"
  echo "API:        $(output apiUrl)"
  echo "First key:  az keyvault secret show --vault-name $(output keyVault) --name bootstrap-api-key --query value -o tsv"
}

push_model() {
  [ -d "$folder" ] || die "--folder is '$folder', which is not a folder."
  [ -f "$folder/config.json" ] || die "'$folder' has no config.json: a base model is a folder in Hugging Face layout."
  [[ "$model" =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || die "--id is '$model'; it must be ORG/MODEL."
  need python3 "It writes the manifest."
  sign_in
  local account
  account="$(output storageAccount)"
  [ "$in_network" = "true" ] ||
    [ "$(az storage account show --name "$account" --resource-group "$group" --query publicNetworkAccess -o tsv)" != "Disabled" ] ||
    die "the storage account of '$name' is private (--private): run this from a machine in its virtual network vnet-langtrain-$name, with --in-network."
  # The manifest goes last: a model without one is not seen.
  python3 "$here/manifest.py" "$folder" > "$folder.manifest.json"
  az storage blob upload-batch --auth-mode login --account-name "$account" --destination base-models --destination-path "$model" \
    --source "$folder" --overwrite true --output none
  az storage blob upload --auth-mode login --account-name "$account" --container-name base-models --name "$model/manifest.json" \
    --file "$folder.manifest.json" --overwrite true --output none
  rm -f "$folder.manifest.json"
  echo "Pushed $model; the app lists it within a minute."
}

destroy() {
  sign_in
  az group show --name "$group" --output none 2>/dev/null || die "there is no resource group '$group'."
  confirm "Delete $group with all its data, for good?"
  az group delete --name "$group" --yes
}

case "$command" in
  deploy) deploy ;;
  push-model) push_model ;;
  destroy) destroy ;;
esac
