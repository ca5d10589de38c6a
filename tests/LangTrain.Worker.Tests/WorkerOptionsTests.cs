using LangTrain.Modeling;
using Microsoft.Extensions.Configuration;

namespace LangTrain.Worker.Tests;

public sealed class WorkerOptionsTests
{
    [Fact]
    public void All_that_is_missing_or_wrong_is_named_at_once()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Read(("LANGTRAIN_WORKER_ROLE", "dance"), ("LANGTRAIN_LEASE_SECONDS", "1")));

        Assert.Contains("LANGTRAIN_WORKER_URL", failure.Message, StringComparison.Ordinal);
        Assert.Contains("LANGTRAIN_WORKER_KEY", failure.Message, StringComparison.Ordinal);
        Assert.Contains("LANGTRAIN_WORKER_ROLE is 'dance'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("LANGTRAIN_LEASE_SECONDS is '1'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all", true, true, false)]
    [InlineData("train", true, false, false)]
    [InlineData("train-one", true, false, true)]
    [InlineData("serve", false, true, false)]
    public void The_role_says_what_the_process_does(string role, bool trains, bool serves, bool oneJob)
    {
        var options = Read(("LANGTRAIN_WORKER_URL", "http://127.0.0.1:1"), ("LANGTRAIN_WORKER_KEY", "k"), ("LANGTRAIN_WORKER_ROLE", role));

        Assert.Equal((trains, serves, oneJob), (options.Trains, options.Serves, options.OneJob));
    }

    [Fact]
    public void Generation_keeps_to_the_sizes_and_weights_that_were_set()
    {
        var options = Read(
            ("LANGTRAIN_WORKER_URL", "http://127.0.0.1:1"), ("LANGTRAIN_WORKER_KEY", "k"), ("LANGTRAIN_SERVING_WEIGHTS", "int8"), ("LANGTRAIN_SERVING_MEMORY_MB", "2000"),
            ("LANGTRAIN_SERVING_ROWS", "9")).Serving;

        Assert.Equal((2000L << 20, 1024L << 20, 500L << 20, 9), (options.ModelBytes, options.AdapterBytes, options.Engine.CacheBytes, options.Engine.MaxRows));
        Assert.Equal(Quantization.Int8, options.Load.Quantization);
        var failure = Assert.Throws<InvalidOperationException>(() => Read(("LANGTRAIN_SERVING_WEIGHTS", "int4")));
        Assert.Contains("LANGTRAIN_SERVING_WEIGHTS is 'int4'", failure.Message, StringComparison.Ordinal);
        failure = Assert.Throws<InvalidOperationException>(() => Read(("LANGTRAIN_SERVING_PROMPTS", "bfloat16")));
        Assert.Contains("LANGTRAIN_SERVING_PROMPTS is 'bfloat16'", failure.Message, StringComparison.Ordinal);
    }

    private static WorkerOptions Read(params (string Name, string Value)[] settings) => WorkerOptions.FromConfiguration(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Append((Name: "AzureWebJobsStorage", Value: "UseDevelopmentStorage=true")).Select(s => new KeyValuePair<string, string?>(s.Name, s.Value))).Build());
}
