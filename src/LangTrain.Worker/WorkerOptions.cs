using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Inference;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Worker;

/// <summary>Settings of a worker process, read once at start. Immutable.</summary>
internal sealed record WorkerOptions
{
    /// <summary>Where the internal API listens.</summary>
    public required Uri Url { get; init; }

    /// <summary>Secret that callers of the internal API carry.</summary>
    public required string Key { get; init; }

    /// <summary>Whether this process takes training jobs.</summary>
    public bool Trains { get; init; } = true;

    /// <summary>Whether this process answers generation requests.</summary>
    public bool Serves { get; init; } = true;

    /// <summary>End after one job (a Container Apps job execution) instead of waiting for the next.</summary>
    public bool OneJob { get; init; }

    /// <summary>Jobs trained at once.</summary>
    public int Concurrency { get; init; } = 2;

    /// <summary>How long a silent worker is believed alive.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Folder of base models in Hugging Face layout, or null.</summary>
    public string? ModelsDirectory { get; init; }

    /// <summary>Where downloads, checkpoints in work and results before upload lie. Can be deleted while no worker runs.</summary>
    public required string ScratchDirectory { get; init; }

    /// <summary>How long running jobs and streams have to end after SIGTERM.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>End when standard input closes: the process that started this one is gone.</summary>
    public bool EndsWithParent { get; init; }

    /// <summary>Sizes of generation and the type of its weights.</summary>
    public ModelHostOptions Serving { get; init; } = new();

    /// <summary>Threads for tensor work; null is one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Prefix of all names in the storage account; empty in production.</summary>
    public string NamePrefix { get; init; } = "";

    /// <summary>Shared names of queues, tables and containers.</summary>
    public StorageNames Names => field ??= new StorageNames(NamePrefix);

    /// <summary>Name of this process on job rows.</summary>
    public string WorkerName { get; init; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="InvalidOperationException">Lists every missing or bad setting by name.</exception>
    public static WorkerOptions FromConfiguration(IConfiguration configuration)
    {
        var problems = new List<string>();
        string Required(string name)
        {
            var value = configuration[name];
            if (string.IsNullOrWhiteSpace(value))
            {
                problems.Add($"{name} is missing");
            }

            return value ?? "";
        }

        int? Whole(string name, int least, int most)
        {
            var text = configuration[name];
            if (string.IsNullOrWhiteSpace(text))
            {
                return null;
            }

            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            {
                return value;
            }

            problems.Add($"{name} is '{text}', not a whole number from {least} to {most}");
            return null;
        }

        var urlText = Required("LANGTRAIN_WORKER_URL");
        if (!Uri.TryCreate(urlText, UriKind.Absolute, out var url) && urlText.Length > 0)
        {
            problems.Add($"LANGTRAIN_WORKER_URL is '{urlText}', not an address such as http://127.0.0.1:7080");
        }

        var role = configuration["LANGTRAIN_WORKER_ROLE"] ?? "all";
        if (role is not ("all" or "train" or "train-one" or "serve"))
        {
            problems.Add($"LANGTRAIN_WORKER_ROLE is '{role}', not one of all, train, train-one, serve");
        }

        var weights = configuration["LANGTRAIN_SERVING_WEIGHTS"] is { Length: > 0 } kind ? kind : "float32";
        if (weights is not ("float32" or "bfloat16" or "int8"))
        {
            problems.Add($"LANGTRAIN_SERVING_WEIGHTS is '{weights}', not one of float32, bfloat16, int8");
        }

        var prompts = configuration["LANGTRAIN_SERVING_PROMPTS"] is { Length: > 0 } way ? way : "exact";
        if (prompts is not ("exact" or "bfloat16") || prompts == "bfloat16" && weights != "bfloat16")
        {
            problems.Add($"LANGTRAIN_SERVING_PROMPTS is '{prompts}', not one of exact, bfloat16 (the latter with LANGTRAIN_SERVING_WEIGHTS=bfloat16 only)");
        }

        // Half of what the process may have: training and downloads need some as well.
        var memory = Whole("LANGTRAIN_SERVING_MEMORY_MB", 64, 1 << 24) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 >> 20;
        var serving = new ModelHostOptions
        {
            ModelBytes = (long)memory << 20,
            AdapterBytes = Math.Min((long)(Whole("LANGTRAIN_SERVING_ADAPTER_MB", 1, 1 << 24) ?? 1024) << 20, (long)memory << 20),
            Engine = new EngineOptions
            {
                MaxRows = Whole("LANGTRAIN_SERVING_ROWS", 1, 1024) ?? 64,
                CacheBytes = Math.Min((long)(Whole("LANGTRAIN_SERVING_CACHE_MB", 1, 1 << 24) ?? 1024) << 20, (long)memory << 18),
                BFloat16Prompts = prompts == "bfloat16" && ProcessorFeatures.HasBFloat16Products,
                QueueCapacity = Whole("LANGTRAIN_SERVING_QUEUE", 1, 100_000) ?? 256,
            },
            Load = new ModelLoadOptions
            {
                Dtype = weights == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32,
                Quantization = weights == "int8" ? Quantization.Int8 : Quantization.None,
                MapWeights = true,
            },
        };
        // Storage is read by WorkerStorage; what is missing of it is told here, with the rest.
        var (connection, account) = (configuration["AzureWebJobsStorage"], configuration["AzureWebJobsStorage:accountName"]);
        if (string.IsNullOrWhiteSpace(connection) && string.IsNullOrWhiteSpace(account))
        {
            problems.Add("AzureWebJobsStorage (or AzureWebJobsStorage__accountName) is missing");
        }
        else if (!string.IsNullOrWhiteSpace(connection) && !string.IsNullOrWhiteSpace(account))
        {
            problems.Add("AzureWebJobsStorage and AzureWebJobsStorage__accountName are both given; one of them is wanted");
        }

        var options = new WorkerOptions
        {
            Url = url ?? new Uri("http://127.0.0.1:7080"),
            Key = Required("LANGTRAIN_WORKER_KEY"),
            Trains = role != "serve",
            Serves = role is "all" or "serve",
            OneJob = role == "train-one",
            Concurrency = Whole("LANGTRAIN_WORKER_CONCURRENCY", 1, 64) ?? (role == "train-one" ? 1 : 2),
            LeaseTime = TimeSpan.FromSeconds(Whole("LANGTRAIN_LEASE_SECONDS", 5, 3600) ?? 30),
            DrainTime = TimeSpan.FromSeconds(Whole("LANGTRAIN_WORKER_DRAIN_SECONDS", 1, 3600) ?? 100),
            EndsWithParent = configuration["LANGTRAIN_WORKER_ENDS_WITH_PARENT"] == "true",
            Serving = serving,
            Threads = Whole("LANGTRAIN_WORKER_THREADS", 1, 1024),
            ModelsDirectory = configuration["LANGTRAIN_MODELS_DIR"] is { Length: > 0 } folder ? folder : null,
            ScratchDirectory = configuration["LANGTRAIN_WORKER_SCRATCH_DIR"] is { Length: > 0 } scratch
                ? scratch
                : Path.Combine(Path.GetTempPath(), "langtrain-worker"),
            NamePrefix = configuration["LANGTRAIN_STORAGE_PREFIX"] ?? "",
        };
        return problems.Count == 0
            ? options
            : throw new InvalidOperationException("The worker's settings are not complete: " + string.Join("; ", problems) + ".");
    }
}
