namespace LangTrain.Flow.Tests.Clients;

/// <summary>npm's <c>@azure/web-pubsub-client</c>, unmodified, against LocalHost's stand-in.</summary>
[Collection(SharedHost.Collection)]
public sealed class WebPubSubClientTests(SharedHost shared)
{
    [Fact]
    public Task Azures_own_client_follows_a_job() => shared.RunNodeTestsAsync("web-pubsub.test.mjs");
}
