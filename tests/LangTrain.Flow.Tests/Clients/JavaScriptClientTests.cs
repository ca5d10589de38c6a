namespace LangTrain.Flow.Tests.Clients;

/// <summary>npm's <c>openai</c> and <c>together-ai</c>, unmodified; what it checks is in the scripts beside this file.</summary>
[Collection(SharedHost.Collection)]
public sealed class JavaScriptClientTests(SharedHost shared)
{
    [Fact]
    public Task Generation_works_as_at_OpenAI() => shared.RunNodeTestsAsync("generation.test.mjs");

    [Fact]
    public Task Batches_work_as_at_OpenAI() => shared.RunNodeTestsAsync("batches.test.mjs");

    [Fact]
    public Task Files_models_and_fine_tuning_jobs_work_as_at_OpenAI() => shared.RunNodeTestsAsync("jobs.test.mjs");

    [Fact]
    public Task The_together_client_works_as_at_its_own_service() => shared.RunNodeTestsAsync("together.test.mjs");
}
