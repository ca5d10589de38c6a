using LangTrain.Contracts.Generation;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Models;

namespace LangTrain.Core.Generation;

/// <summary>Text to token ids and back: <c>POST /tokenize</c> and <c>/detokenize</c>. Thread-safe.</summary>
public sealed class CountTokens(ModelCatalog models, IGenerationWorker worker)
{
    private const int MostIds = 1_000_000;

    /// <summary>Encodes <c>text</c> or <c>messages</c>.</summary>
    /// <exception cref="ApiException">400, 404, 409, 503.</exception>
    public async Task<TokenizeAnswer> TokenizeAsync(Caller caller, RequestObject request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var (model, text, messages, special, parse) = ReadTokenize(request);
        var (_, target) = await models.ResolveAsync(caller.AccountId, model, cancellation: cancellation);
        var result = await worker.TokenizeAsync(new TokenizeWorkItem(target, text, messages, null, special, parse), cancellation);
        return new TokenizeAnswer(result.Ids, result.Tokens, result.Ids.Count);
    }

    /// <summary>Decodes <c>ids</c>.</summary>
    /// <exception cref="ApiException">400, 404, 409, 503.</exception>
    public async Task<DetokenizeAnswer> DetokenizeAsync(Caller caller, RequestObject request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var (model, ids) = ReadDetokenize(request);
        var (_, target) = await models.ResolveAsync(caller.AccountId, model, cancellation: cancellation);
        return new DetokenizeAnswer((await worker.TokenizeAsync(new TokenizeWorkItem(target, null, null, ids), cancellation)).Text);
    }

    /// <summary>Reads a request of <c>/tokenize</c>.</summary>
    /// <exception cref="ApiException">400 with every problem.</exception>
    public static (string Model, string? Text, System.Text.Json.JsonElement? Messages, bool AddSpecialTokens, bool ParseSpecial) ReadTokenize(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var model = request.RequireText("model", 512);
        var text = request.Text("text");
        var messages = request.Has("messages") ? ChatMessages.FromRequest(request, "messages") : (System.Text.Json.JsonElement?)null;
        var special = request.Flag("add_special_tokens") ?? false;
        var parse = request.Flag("parse_special") ?? false;
        if (request.Has("text") == messages is not null)
        {
            request.Problems.Add("text", "Give text or messages, exactly one of them.", "missing_required_parameter");
        }

        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return (model, text, messages, special, parse);
    }

    /// <summary>Reads a request of <c>/detokenize</c>.</summary>
    /// <exception cref="ApiException">400 with every problem.</exception>
    public static (string Model, IReadOnlyList<int> Ids) ReadDetokenize(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var model = request.RequireText("model", 512);
        request.Takes("ids", $$"""{"type":"array","maxItems":{{MostIds}},"items":{"type":"integer","minimum":0} }""");
        var items = request.Items("ids", MostIds);
        if (!request.Has("ids"))
        {
            request.Missing("ids");
        }

        var ids = new List<int>(items?.Count ?? 0);
        foreach (var item in items ?? [])
        {
            if (item.ValueKind == System.Text.Json.JsonValueKind.Number && item.TryGetInt32(out var id) && id >= 0)
            {
                ids.Add(id);
            }
            else
            {
                request.Problems.Add("ids", "ids must hold token ids, whole numbers from 0, only.", "invalid_type");
                break;
            }
        }

        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return (model, ids);
    }
}
