using System.Text.Json;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Training that goes on from an adapter: the new adapter has the shape of the old one. Thread-safe.</summary>
public sealed class StartAdapters(IBlobStore blobs)
{
    private const int MostBytes = 1 << 20;

    /// <summary>A configuration with the shape of the adapter that training begins with.</summary>
    /// <exception cref="ApiException">400: the method trains no adapter, or the request asks for another shape.</exception>
    public async Task<FineTuneConfig> ContinueAsync(ModelSource adapter, FineTuneConfig config, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(config);
        if (config.Method == "full")
        {
            throw ApiErrors.Invalid(
                "The model is an adapter, which goes on being trained with method 'lora' or 'qlora'. For all weights, export it as 'merged', upload that, and train it.", "config.method");
        }

        var stored = await ReadAsync(adapter, cancellation);
        var asked = config.LoraConfig;
        var shape = stored with { Dropout = asked.Dropout };
        // What was not asked for has its default, which cannot be told from asking for it: so only what is neither default nor right is refused.
        var defaults = new LoraConfig { Dropout = asked.Dropout };
        var isAsked = !Same(asked, defaults);
        return isAsked && !Same(asked, shape)
            ? throw ApiErrors.Invalid(
                FormattableString.Invariant($"Training that begins with an adapter keeps its shape: r {shape.R}, alpha {shape.Alpha}, target_modules {string.Join(", ", shape.TargetModules)}, use_rslora {shape.UseRslora}, use_dora {shape.UseDora}. Leave lora_config out."),
                "config.lora_config", "adapter_shape")
            : config with { LoraConfig = shape };
    }

    private static bool Same(LoraConfig a, LoraConfig b) =>
        a with { TargetModules = b.TargetModules } == b && a.TargetModules.Order(StringComparer.Ordinal).SequenceEqual(b.TargetModules.Order(StringComparer.Ordinal), StringComparer.Ordinal);

    private async Task<LoraConfig> ReadAsync(ModelSource adapter, CancellationToken cancellation)
    {
        await using var content = await blobs.OpenReadAsync(adapter.Container ?? "", adapter.Folder + "/adapter_config.json", cancellation: cancellation)
            ?? throw ApiErrors.Conflict("model_not_ready", "The adapter's files are not in storage.", param: "model_id");
        var bytes = new byte[MostBytes];
        var length = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        try
        {
            var json = JsonElement.Parse(bytes.AsSpan(0, length));
            return new LoraConfig
            {
                R = json.GetProperty("r").GetInt32(),
                Alpha = json.GetProperty("lora_alpha").GetDouble(),
                TargetModules = json.GetProperty("target_modules") is { ValueKind: JsonValueKind.Array } modules
                    ? [.. modules.EnumerateArray().Select(module => module.GetString() ?? "")]
                    : [json.GetProperty("target_modules").GetString() ?? ""],
                UseRslora = json.TryGetProperty("use_rslora", out var rslora) && rslora.ValueKind == JsonValueKind.True,
                UseDora = json.TryGetProperty("use_dora", out var dora) && dora.ValueKind == JsonValueKind.True,
            };
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw ApiErrors.Conflict("model_not_ready", "The adapter's adapter_config.json cannot be read.", param: "model_id");
        }
    }
}
