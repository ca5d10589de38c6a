using LangTrain.AzureAdapters;
using LangTrain.AzureAdapters.Telemetry;
using LangTrain.Contracts;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Inference;
using LangTrain.Modeling;
using LangTrain.Worker;
using LangTrain.Worker.FineTunes;
using LangTrain.Worker.Generation;
using LangTrain.Worker.Models;

var builder = WebApplication.CreateSlimBuilder(args);
var options = WorkerOptions.FromConfiguration(builder.Configuration);
TorchSetup.Initialize(options.Threads);

// A line a request would bury the lines of jobs.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Azure", LogLevel.Warning);
builder.WebHost.UseUrls(options.Url.GetLeftPart(UriPartial.Authority));
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTime);
builder.Services.AddSingleton(options).AddSingleton(TimeProvider.System).AddSingleton(options.Names);
builder.Services.AddLangTrainAzureAdapters(WorkerStorage.From(builder.Configuration, options));
builder.Services.AddLangTrainTelemetry(builder.Configuration.ReadTelemetry("langtrain-worker"));
builder.Services.AddSingleton<ModelFiles>();
builder.Services.AddWorkerMetrics();
if (options.Trains)
{
    builder.Services.AddSingleton<ChangeFineTune>().AddSingleton<ArtifactStore>().AddSingleton<TrainFineTune>().AddSingleton<RunTrainingAttempt>();
    builder.Services.AddSingleton(new FineTuneOptions()).AddSingleton<SettleModelTask>().AddSingleton<CheckUploadedModel>().AddSingleton<ExportModelFiles>().AddSingleton<RunModelTask>().AddSingleton<CheckpointModels>();
    builder.Services.AddHostedService<TrainingJobsService>();
}

builder.Services.AddSingleton<EstimateTraining>();
builder.Services.AddSingleton(options.Serving).AddSingleton<ModelHost>().AddSingleton<ServedModels>();
if (options.EndsWithParent)
{
    builder.Services.AddHostedService<ParentWatch>();
}

var app = builder.Build();
app.MapGeneration();
app.MapTraining();
app.MapPrometheusScrapingEndpoint(WorkerRoutes.Metrics);
await app.RunAsync();
