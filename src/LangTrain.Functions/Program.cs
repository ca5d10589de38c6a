using LangTrain.Functions;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddLangTrain(builder.Configuration);
builder.UseLangTrainMiddleware();
await builder.Build().RunAsync();
