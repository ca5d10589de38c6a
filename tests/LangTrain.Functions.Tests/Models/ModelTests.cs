using System.Net;
using LangTrain.Core.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;
using LangTrain.Functions.Tests.Hosting;
using LangTrain.Testing;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

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
    public async Task Checkpoints_go_with_the_model_of_their_job_and_no_others_do()
    {
        await using var app = await TestApp.StartAsync();
        var (account, blobs) = (Core.Accounts.BootstrapAccount.AccountId, app.Service<IBlobStore>());
        await app.Models.UpsertAsync(Some.BaseModel("ft:mine") with { AccountId = account, JobId = "ftjob-1" });
        string[] others = [$"{account}/ftjob-10/step-2/manifest.json", $"{account}/ftjob-2/step-2/manifest.json", "user-other/ftjob-1/step-2/manifest.json"];
        foreach (var name in others.Append($"{account}/ftjob-1/step-1/manifest.json").Append($"{account}/ftjob-1/step-2/adapter_model.safetensors"))
        {
            await blobs.WriteAsync("checkpoints", name, new MemoryStream([1]));
        }

        await app.Client.DeleteAsync("models/ft:mine").JsonAsync();
        await foreach (var task in app.Service<IModelTaskStore>().ListAsync(account))
        {
            Assert.Contains(task.Id, ((RecordingDurableTaskClient)app.Service<DurableTaskClient>()).Started);
            Assert.Equal(ModelTaskStep.Done, (await app.Service<SettleModelTask>().ExecuteAsync(task.Ref(), 0)).Step);
        }

        Assert.Equal(others.Order(StringComparer.Ordinal), await blobs.ListAsync("checkpoints", "").Select(blob => blob.Name).ToListAsync());
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
