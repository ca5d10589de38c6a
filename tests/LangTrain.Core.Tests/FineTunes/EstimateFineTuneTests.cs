using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Datasets;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Generation;
using LangTrain.Core.Http;
using LangTrain.Core.Models;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.FineTunes;

/// <summary>A dry run over in-memory ports and a worker that notes what it is asked.</summary>
public sealed class EstimateFineTuneTests
{
    private readonly AskedWorker _worker = new();

    [Fact]
    public async Task Rows_of_a_small_file_all_go_to_the_worker_and_its_numbers_come_back()
    {
        var answer = await EstimateAsync("""{"prompt":"a","completion":"b"}""" + "\n" + """{"prompt":"c","completion":"d"}""");
        Assert.True(answer.Dataset.Valid);
        Assert.Equal(("completion", 2L), (answer.Dataset.Format, answer.Dataset.Rows));
        Assert.Equal(7, answer.Estimate!.TotalSteps);
        Assert.Equal((2L, 2), (_worker.Asked!.TotalRows, _worker.Asked.Rows.Count));
        Assert.Equal("""{"prompt":"a","completion":"b"}""", _worker.Asked.Rows[0]);
        Assert.Equal(Some.Source("langtrain/tiny"), _worker.Asked.BaseModel);
    }

    [Fact]
    public async Task Of_many_rows_the_worker_gets_some_that_are_evenly_spread()
    {
        var answer = await EstimateAsync(string.Join('\n', Enumerable.Range(0, 20_000).Select(i => $$"""{"prompt":"{{i}}","completion":"b"}""")));
        Assert.Equal((20_000L, 20_000L), (answer.Dataset.Rows, _worker.Asked!.TotalRows));
        Assert.InRange(_worker.Asked.Rows.Count, 2048, 4096);
        Assert.Equal([$$"""{"prompt":"0","completion":"b"}""", $$"""{"prompt":"8","completion":"b"}"""], _worker.Asked.Rows.Take(2));
        Assert.Equal($$"""{"prompt":"{{8 * (_worker.Asked.Rows.Count - 1)}}","completion":"b"}""", _worker.Asked.Rows[^1]);
    }

    [Theory]
    [InlineData("""{"prompt":"a"}""", "{}", 1)]
    [InlineData("""{"prompt":"a","chosen":"b","rejected":"c"}""", "{}", 0)]
    [InlineData("""{"prompt":"a","completion":"b"}""", """{"objective":"dpo"}""", 0)]
    public async Task Data_that_cannot_be_trained_on_is_reported_and_no_worker_asked(string rows, string config, long line)
    {
        var answer = await EstimateAsync(rows, config);
        Assert.False(answer.Dataset.Valid);
        Assert.Equal(line, answer.Dataset.Problems[0].Line);
        Assert.Null(answer.Estimate);
        Assert.Null(_worker.Asked);
    }

    [Fact]
    public async Task Early_stopping_without_data_to_stop_by_is_refused()
    {
        const string Stops = """{"training_config":{"early_stopping":{"patience":1}}}""";
        var error = await Assert.ThrowsAsync<ApiException>(() => EstimateAsync("""{"prompt":"a","completion":"b"}""", Stops));
        Assert.Equal("config.training_config.early_stopping", error.Param);
        Assert.Contains("eval_split", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_worker_says_is_what_the_client_hears()
    {
        _worker.Failure = new GenerationFailedException(new GenerationFailure(400, "dataset_invalid", "Line 1: the model's chat template refuses the row.", "dataset"));
        var error = await Assert.ThrowsAsync<ApiException>(() => EstimateAsync("""{"prompt":"a","completion":"b"}"""));
        Assert.Equal((400, "dataset_invalid"), (error.Status, error.Code));
        _worker.Failure = new GenerationUnavailableException("Nobody there.");
        Assert.Equal(503, (await Assert.ThrowsAsync<ApiException>(() => EstimateAsync("""{"prompt":"a","completion":"b"}"""))).Status);
    }

    [Theory]
    [InlineData("""{"objective":"dpo","beta":0.2}""", null)]
    [InlineData("""{"training_config":{"loss_on":"all","activation_checkpointing":true}}""", null)]
    [InlineData("""{"training_config":{"compute_dtype":"bfloat16"}}""", null)]
    [InlineData("""{"training_config":{"compute_dtype":"int4"}}""", "config.training_config.compute_dtype")]
    [InlineData("""{"beta":0.2}""", "config.beta")]
    [InlineData("""{"objective":"dpo","beta":0}""", "config.beta")]
    [InlineData("""{"objective":"dpo","training_config":{"packing":true}}""", "config.training_config.packing")]
    [InlineData("""{"objective":"dpo","training_config":{"loss_on":"all"}}""", "config.training_config.loss_on")]
    public void What_an_objective_cannot_have_is_refused_by_name(string config, string? param)
    {
        var error = Record.Exception(() => Request("file-1", config));
        Assert.Equal(param, (error as ApiException)?.Param);
    }

    private static FineTuneRequest Request(string fileId, string config) => FineTuneRequest.FromRequest(JsonBody.Parse(Encoding.UTF8.GetBytes(
        $$"""{"model_id":"langtrain/tiny","dataset":{"file_id":"{{fileId}}"},"config":{{config}}}""")));

    private async Task<FineTuneEstimateAnswer> EstimateAsync(string rows, string config = "{}")
    {
        var (models, files, blobs, names) = (new InMemoryModelStore(), new InMemoryFileStore(), new InMemoryBlobStore(), new StorageNames());
        await models.UpsertAsync(Some.BaseModel());
        var file = Some.File();
        await files.CreateAsync(file);
        await blobs.WriteAsync(names.DatasetsContainer, file.BlobName, new MemoryStream(Encoding.UTF8.GetBytes(rows)));
        using var client = new HttpClient();
        var limits = new DatasetLimits();
        var prepare = new PrepareDataset(blobs, files, new FetchDataset(client, limits), limits, names, TimeProvider.System);
        var check = new CheckFineTune(new ModelCatalog(models, ModelAliases.None, TimeProvider.System), files, new StartAdapters(new InMemoryBlobStore()));
        return await new EstimateFineTune(check, prepare, limits, _worker)
            .ExecuteAsync(new Caller(Some.Account(), Some.Key("hash"), "req-1"), Request(file.Id, config));
    }

    private sealed class AskedWorker : ITrainingWorker
    {
        public EstimateWorkItem? Asked { get; private set; }

        public Exception? Failure { get; set; }

        public Task<TrainingEstimateAnswer> EstimateAsync(EstimateWorkItem item, CancellationToken cancellation = default)
        {
            Asked = item;
            return Failure is { } failure ? Task.FromException<TrainingEstimateAnswer>(failure) : Task.FromResult(new TrainingEstimateAnswer
            {
                Exact = true, TokensPerEpoch = 1, TrainedTokensPerEpoch = 1, TotalTokens = 3, TotalSteps = 7, LongestRowTokens = 1, OverlongRows = 0,
                TrainableParameters = 1, ModelParameters = 1, MemoryBytes = 1, TrainingSeconds = 1,
            });
        }
    }
}
