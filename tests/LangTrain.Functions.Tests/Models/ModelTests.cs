using System.Net;
using LangTrain.Core.Models;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;

namespace LangTrain.Functions.Tests.Models;

public sealed class ModelTests
{
    private const string Alias = "meta-llama/Llama-2-7b-hf";

    [Fact]
    public async Task Model_has_every_documented_field_under_its_alias_and_its_own_id()
    {
        await using var app = await WithAliasAsync();
        foreach (var path in (string[])["models/" + Alias, "models/meta-llama%2FLlama-2-7b-hf", "models/langtrain/tiny"])
        {
            var model = await app.Client.GetAsync(path).JsonAsync();
            foreach (var field in (string[])["id", "object", "name", "description", "category", "parameters", "parameter_count", "context_length", "supported_tasks", "pricing", "status", "owned_by", "created"])
            {
                Assert.True(model.TryGetProperty(field, out var value) && value.GetRawText() is not ("null" or "\"\"" or "[]" or "{}"), field);
            }
        }

        Assert.Equal(Alias, (await app.Client.GetAsync("models/" + Alias).JsonAsync()).Text("id"));
    }

    [Fact]
    public async Task List_holds_own_models_base_models_and_aliases_and_can_be_narrowed()
    {
        await using var app = await WithAliasAsync();
        await app.Models.UpsertAsync(Own());
        Assert.Equal(["ft:langtrain/tiny:me::1", "langtrain/tiny", Alias], await IdsAsync(app, "models"));
        Assert.Equal(["ft:langtrain/tiny:me::1"], await IdsAsync(app, "models?category=custom"));
        Assert.Equal(["langtrain/tiny"], await IdsAsync(app, "models?limit=1&after=ft:langtrain/tiny:me::1"));
        Assert.Empty(await IdsAsync(app, "models?task=painting"));
    }

    [Fact]
    public async Task Models_of_others_do_not_exist()
    {
        await using var app = await TestApp.StartAsync();
        await app.Models.UpsertAsync(Own());
        using var other = await app.OtherAccountAsync();
        await other.GetAsync("models/ft:langtrain/tiny:me::1").ErrorAsync(HttpStatusCode.NotFound);
        await other.DeleteAsync("models/ft:langtrain/tiny:me::1").ErrorAsync(HttpStatusCode.NotFound);
        await other.PostAsync("completions", new { model = "ft:langtrain/tiny:me::1", prompt = "x" }).ErrorAsync(HttpStatusCode.NotFound);
        Assert.DoesNotContain("ft:", (await other.GetAsync("models").JsonAsync()).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_names_dependants_and_spares_base_models()
    {
        await using var app = await TestApp.StartAsync();
        await app.Models.UpsertAsync(Own());
        await app.Models.UpsertAsync(Own() with { Id = "ft:second", BaseModelId = "ft:langtrain/tiny:me::1" });
        var error = await app.Client.DeleteAsync("models/ft:langtrain/tiny:me::1").ErrorAsync(HttpStatusCode.Conflict);
        Assert.Contains("ft:second", error.Text("message"), StringComparison.Ordinal);
        await app.Client.DeleteAsync("models/ft:second").JsonAsync();
        await app.Client.DeleteAsync("models/ft:langtrain/tiny:me::1").JsonAsync();
        await app.Client.GetAsync("models/ft:langtrain/tiny:me::1").ErrorAsync(HttpStatusCode.NotFound);
        Assert.Equal("base_model", (await app.Client.DeleteAsync("models/langtrain/tiny").ErrorAsync(HttpStatusCode.Forbidden)).Text("code"));
    }

    [Fact]
    public async Task Adapter_is_served_over_its_base()
    {
        await using var app = await TestApp.StartAsync();
        await app.Models.UpsertAsync(Own());
        await app.Client.PostAsync("completions", new { model = "ft:langtrain/tiny:me::1", prompt = "x" }).JsonAsync();
        var target = app.Worker.Requests.Single().Target;
        Assert.Equal(("langtrain/tiny", "adapter", "nf4"), (target.Base.Folder, target.Adapter!.Folder, target.Quantization));
    }

    private static Task<TestApp> WithAliasAsync() =>
        TestApp.StartAsync(settings: new LangTrainSettings { ModelAliases = ModelAliases.Parse(Alias + "=langtrain/tiny") });

    private static StoredModel Own() => Some.BaseModel("ft:langtrain/tiny:me::1") with
    {
        AccountId = "user-first", Category = "custom", BaseModelId = "langtrain/tiny", Weights = null, Adapter = Some.Source("adapter"), Quantization = "nf4",
    };

    private static async Task<string[]> IdsAsync(TestApp app, string path) =>
        [.. (await app.Client.GetAsync(path).JsonAsync()).GetProperty("data").EnumerateArray().Select(model => model.Text("id"))];
}
