namespace LangTrain.Flow.Tests.Clients;

/// <summary>npm's <c>openai</c>, unmodified; what it checks is in the scripts beside this file.</summary>
[Collection(SharedHost.Collection)]
public sealed class JavaScriptClientTests(SharedHost shared)
{
    [Fact]
    public Task Generation_works_as_at_OpenAI() => shared.RunNodeTestsAsync("generation.test.mjs");
}
