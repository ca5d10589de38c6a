using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>Finds, in a rendered chat, the characters that the model has to produce itself: each answer from behind its generation prompt to the end of its turn.</summary>
/// <remarks>
/// Where an answer starts is asked of the template (the chat up to it, rendered with a generation prompt), because some templates write more than
/// the content there (an empty thought, a tool call). Where that rendering is no beginning of the whole (some templates move the system message), the content itself tells.
/// </remarks>
internal sealed class AnswerSpans(Tokenizer tokenizer, Func<ChatRenderInput, string> render)
{
    /// <param name="input">The chat, without generation prompt.</param>
    /// <param name="rendered">What it renders to.</param>
    /// <param name="endsOpen">Whether the last answer is learned and nothing stands behind it that ends it.</param>
    /// <exception cref="ChatTemplateException">An answer cannot be told from the prompt.</exception>
    public List<(int Start, int End)> Find(ChatRenderInput input, ContentMarks.Result rendered, out bool endsOpen)
    {
        var spans = new List<(int Start, int End)>();
        var tokens = tokenizer.Cut(rendered.Text, rendered.IsPlain).Where(part => part.Token is { IsControl: true }).ToList();
        JsonElement[] messages = [.. input.Messages.EnumerateArray()];
        var cursor = 0;
        endsOpen = false;
        for (var i = 0; i < messages.Length; i++)
        {
            if (Text(messages[i], "role") != "assistant") continue;
            var span = FindOne(input, messages, i, rendered, tokens, cursor);
            cursor = span.End;
            if (messages[i].TryGetProperty("weight", out var weight) && weight.ValueKind == JsonValueKind.Number && weight.GetDouble() == 0) continue;
            if (i == messages.Length - 1 && rendered.Text.AsSpan(span.End).IsWhiteSpace() && !tokens.Exists(token => token.End == span.End)) (endsOpen, span.End) = (true, rendered.Text.Length);
            spans.Add(span);
        }
        return spans;
    }

    private (int Start, int End) FindOne(
        ChatRenderInput input, JsonElement[] messages, int index, ContentMarks.Result rendered, List<(int Start, int End, AddedToken? Token)> tokens, int cursor)
    {
        var own = rendered.Contents.Where(content => content.Message == index && (content.Start < 0 ? content.End : content.Start) >= cursor).ToList();
        var prompt = Prefix(input, messages[..index], addGenerationPrompt: true);
        var start = prompt is not null && prompt.Length >= cursor && rendered.Text.StartsWith(prompt, StringComparison.Ordinal) ? prompt.Length : -1;
        var hasToolCalls = messages[index].TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array && calls.GetArrayLength() > 0;
        if (!hasToolCalls && own.Count > 0)
        {
            var first = own[0].Start >= 0 ? own[0].Start : StartOfRest(rendered.Text, cursor, own[0].End, Text(messages[index], "content") ?? "");
            if (start < 0 || start > first) start = first;
            return (start, EndOfTurn(rendered.Text, own[^1].End, tokens));
        }
        if (start >= 0 && Prefix(input, messages[..(index + 1)], addGenerationPrompt: false) is { } whole)
        {
            // Up to here the chat so far and the whole chat agree; what a template writes at the end of every chat is no part of the answer.
            var common = rendered.Text.AsSpan().CommonPrefixLength(whole);
            var end = LastEndOfTurn(rendered.Text, start, common, tokens);
            if (common == whole.Length || tokens.Exists(token => token.End == end && token.Start >= start)) return (start, end);
        }
        return ByDifference(input, messages, index, rendered.Text, tokens, cursor)
            ?? throw new ChatTemplateException($"The chat template mixes message {index} with the prompt, so that the answer in it cannot be told apart.");
    }

    /// <summary>Where the part of a content begins that a template left of it: as much of the content's end as stands there.</summary>
    private static int StartOfRest(string text, int cursor, int end, string content)
    {
        content = content.TrimEnd();
        var length = 0;
        while (length < content.Length && end - length > cursor && content[^(length + 1)] == text[end - length - 1]) length++;
        return end - text.AsSpan(end - length, length).TrimStart().Length;
    }

    /// <summary>Renders the answer alone, behind a chat without its system messages, and looks for it in the whole.</summary>
    private (int Start, int End)? ByDifference(
        ChatRenderInput input, JsonElement[] messages, int index, string text, List<(int Start, int End, AddedToken? Token)> tokens, int cursor)
    {
        JsonElement[] others = [.. messages[..index].Where(message => Text(message, "role") != "system")];
        var before = Prefix(input, others, addGenerationPrompt: true);
        var with = Prefix(input, [.. others, messages[index]], addGenerationPrompt: false);
        if (before is null || with is null || !with.StartsWith(before, StringComparison.Ordinal)) return null;
        var answer = with[before.Length..].TrimEnd();
        var at = answer.Length == 0 ? -1 : text.IndexOf(answer, cursor, StringComparison.Ordinal);
        return at < 0 ? null : (at, LastEndOfTurn(text, at, at + answer.Length, tokens));
    }

    private string? Prefix(ChatRenderInput input, JsonElement[] messages, bool addGenerationPrompt)
    {
        try
        {
            return render(input with { Messages = JsonSerializer.SerializeToElement(messages, ChatJson.Default.JsonElementArray), AddGenerationPrompt = addGenerationPrompt });
        }
        catch (ChatTemplateException)
        {
            // A template may refuse half a chat; then the content has to tell.
            return null;
        }
    }

    /// <summary>Behind the first special token that follows, if only white space is before it.</summary>
    private static int EndOfTurn(string text, int end, List<(int Start, int End, AddedToken? Token)> tokens)
    {
        foreach (var token in tokens)
        {
            if (token.Start < end) continue;
            return text.AsSpan(end, token.Start - end).IsWhiteSpace() ? token.End : end;
        }
        return end;
    }

    /// <summary>Behind the last special token in a range; of two with a line break between them, the first, which is the one that ends the turn.</summary>
    private static int LastEndOfTurn(string text, int start, int end, List<(int Start, int End, AddedToken? Token)> tokens)
    {
        var inside = tokens.Where(token => token.Start >= start && token.End <= end).ToList();
        // Phi-3.5 writes its end of text a line below the last end of turn.
        while (inside.Count > 1 && inside[^1].Start > inside[^2].End && text.AsSpan(inside[^2].End, inside[^1].Start - inside[^2].End).IsWhiteSpace()) inside.RemoveAt(inside.Count - 1);
        return inside.Count > 0 ? inside[^1].End : end;
    }

    private static string? Text(JsonElement json, string key) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement[]))]
internal sealed partial class ChatJson : System.Text.Json.Serialization.JsonSerializerContext;
