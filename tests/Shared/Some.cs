using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core;
using LangTrain.Core.Accounts;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;

namespace LangTrain.Testing;

/// <summary>Valid values of the domain, of which a test changes (by <c>with</c>) only what it is about.</summary>
public static class Some
{
    /// <summary>An account.</summary>
    public const string AccountId = "user-01jsomeaccount0000000000001";

    /// <summary>When things were made.</summary>
    public static DateTimeOffset Moment { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static FineTune Job(string? id = null, string accountId = AccountId) => new()
    {
        Id = id ?? Ids.New("ftjob", TimeProvider.System),
        AccountId = accountId,
        ModelId = "langtrain/tiny",
        BaseModelId = "langtrain/tiny",
        BaseModel = Source("langtrain/tiny"),
        Dataset = new DatasetReference("https://example.com/train.jsonl", null),
        Config = new FineTuneConfig(),
        CreatedAt = Moment,
    };

    public static ModelSource Source(string folder) => new() { Kind = ModelSource.ModelsDirectory, Folder = folder, Revision = "r1" };

    public static StoredModel BaseModel(string id = "langtrain/tiny") => new()
    {
        Id = id,
        Name = "Tiny",
        Description = "A tiny base model.",
        Category = "base",
        ParameterCount = 1_000_000,
        ContextLength = 512,
        SupportedTasks = ["completion", "chat", "fine-tuning"],
        Status = "ready",
        Weights = Source(id),
        CreatedAt = Moment,
    };

    public static StoredFile File(string? id = null, string accountId = AccountId) => new()
    {
        Id = id ?? Ids.New("file", TimeProvider.System),
        AccountId = accountId,
        Filename = "train.jsonl",
        Purpose = "fine-tune",
        Bytes = 12,
        Sha256 = new string('a', 64),
        BlobName = "files/train.jsonl",
        CreatedAt = Moment,
    };

    public static Batch Batch(string? id = null, string accountId = AccountId) => new()
    {
        Id = id ?? Ids.New("batch", TimeProvider.System),
        AccountId = accountId,
        KeyId = "key-01jsome",
        Endpoint = "/v1/completions",
        InputFileId = "file-01jsome",
        CreatedAt = Moment,
        ExpiresAt = Moment.AddHours(24),
    };

    public static Account Account(string id = AccountId, string tier = "pro") => new(id, "Ada", "ada@example.com", tier, Moment);

    public static ApiKey Key(string sha256, string accountId = AccountId) => new()
    {
        Id = Ids.New("key", TimeProvider.System),
        AccountId = accountId,
        Sha256 = sha256,
        Prefix = "lt-a1b2",
        Name = "default",
        Scopes = ["read", "train", "infer", "admin"],
        CreatedAt = Moment,
    };

    public static JobEventDraft Event(string key, string? message = null) => new()
    {
        Key = key, Type = JobEventTypes.Log, Timestamp = Moment, Message = message ?? key, Level = "info",
    };
}
