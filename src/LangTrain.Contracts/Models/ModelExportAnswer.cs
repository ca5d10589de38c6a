using System.Text.Json.Serialization;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.Contracts.Models;

/// <summary>An export of a model as it is shown: a job that makes files to be taken away.</summary>
public sealed record ModelExportAnswer
{
    /// <summary><c>export-…</c>; the same for the same model, format and dtype.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>model.export</c>.</summary>
    public string Object { get; init; } = "model.export";

    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary><c>peft</c>, <c>merged</c> or <c>gguf</c>.</summary>
    public required string Format { get; init; }

    /// <summary>How weights are stored: <c>f32</c>, <c>f16</c>, <c>bf16</c>, with GGUF also <c>q8_0</c>; absent where they are kept as they are.</summary>
    public string? Dtype { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>completed</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it failed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public JobError? Error { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>Seconds since 1970; absent while it goes on.</summary>
    public long? FinishedAt { get; init; }

    /// <summary>What is to be known of the result.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The files, once completed.</summary>
    public IReadOnlyList<ModelFileAnswer> Files { get; init; } = [];
}

/// <summary>A file of a model or of an export, with an address from which it can be had for a short time.</summary>
/// <param name="Name">Name in its folder.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">Of the content, lower-case hex.</param>
/// <param name="Url">Whoever knows it can read this file until it expires: it is not to be logged.</param>
/// <param name="ExpiresAt">Seconds since 1970.</param>
public sealed record ModelFileAnswer(string Name, long Bytes, string Sha256, Uri Url, long ExpiresAt)
{
    /// <summary>Always <c>model.file</c>.</summary>
    public string Object { get; init; } = "model.file";
}
