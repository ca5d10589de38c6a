using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Files;
using LangTrain.Contracts.Generation;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;
using LangTrain.Training.Data;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.Generation;

/// <summary>Rows as a fine-tune would see them: made by the encoder that training uses, from tokenizer and template alone; no weights are loaded.</summary>
internal static class PreviewEndpoint
{
    /// <summary>Answers <c>POST /internal/preview</c>.</summary>
    public static async Task PreviewAsync(HttpContext http, ModelFiles models, TimeProvider time, ILoggerFactory loggers)
    {
        if (await GenerationEndpoints.ReadAsync(http, LangTrainJson.Default.PreviewWorkItem) is not { } item)
        {
            return;
        }

        try
        {
            var folder = await models.GetFolderAsync(item.Target.Base, http.RequestAborted);
            await http.Response.WriteAsJsonAsync(Preview(item, folder, time), LangTrainJson.Default.PreviewResult);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            var known = GenerationFailures.Known(failure);
            if (known is null)
            {
                loggers.CreateLogger(typeof(PreviewEndpoint)).GenerationFailed(failure, http.TraceIdentifier, item.Target.ModelId);
            }

            known ??= GenerationFailures.Internal;
            http.Response.StatusCode = known.Status;
            await http.Response.WriteAsJsonAsync(known, LangTrainJson.Default.GenerationFailure);
        }
    }

    private static PreviewResult Preview(PreviewWorkItem item, string folder, TimeProvider time)
    {
        var tokenizer = Tokenizer.Load(folder);
        var template = ChatTemplate.LoadOrPlain(folder, tokenizer, time);
        var encoder = new RowEncoder(tokenizer, new ChatPromptEncoder(tokenizer, template));
        return new PreviewResult([.. item.Rows.Select(row => Row(encoder, tokenizer, row))]);
    }

    private static FilePreviewRow Row(RowEncoder encoder, Tokenizer tokenizer, string row)
    {
        try
        {
            return new FilePreviewRow([.. encoder.Encode(JsonElement.Parse(row)).Select(example => Example(tokenizer, example))], null);
        }
        catch (TrainingDataException refused)
        {
            return new FilePreviewRow([], refused.Message);
        }
    }

    private static FilePreviewExample Example(Tokenizer tokenizer, TokenizedExample example)
    {
        var segments = new List<FilePreviewSegment>();
        for (var from = 0; from < example.Ids.Length;)
        {
            var to = from + 1;
            while (to < example.Ids.Length && example.IsTrained[to] == example.IsTrained[from])
            {
                to++;
            }

            segments.Add(new FilePreviewSegment(tokenizer.Decode(example.Ids[from..to], skipSpecialTokens: false), example.IsTrained[from]));
            from = to;
        }

        return new FilePreviewExample(
            example.Ids, [.. example.Ids.Select(tokenizer.TokenText)], [.. example.IsTrained.Select(trained => trained ? 1 : 0)], segments, example.IsTrained.Count(trained => trained));
    }
}
