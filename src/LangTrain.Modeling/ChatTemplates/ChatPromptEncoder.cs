using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>Chats to token ids through a model's template, for prompts and for training. Thread-safe.</summary>
/// <remarks>
/// Special tokens come from the template alone: what people wrote (contents, tool arguments, tool descriptions) is encoded as plain text, even
/// where it spells a special token. For any other content the ids are exactly those of the rendered text.
/// </remarks>
public sealed class ChatPromptEncoder
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;

    /// <summary>Joins a tokenizer and a template of one model.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="template">The model's template; it stays the caller's to dispose.</param>
    public ChatPromptEncoder(Tokenizer tokenizer, ChatTemplate template) => (_tokenizer, _template) = (tokenizer, template);

    /// <summary>Encodes a chat.</summary>
    /// <param name="input">As for <see cref="ChatTemplate.Render(ChatRenderInput)"/>.</param>
    /// <returns>Fresh ids.</returns>
    /// <exception cref="ChatTemplateException">The template raised it, or failed.</exception>
    public IReadOnlyList<int> Encode(ChatRenderInput input) => Encode(Render(input), []).Ids;

    /// <summary>Encodes a chat for training, and tells which tokens are learned.</summary>
    /// <param name="input">
    /// As for <see cref="ChatTemplate.Render(ChatRenderInput)"/>; an assistant message with <c>"weight": 0</c> is context only. No generation prompt is added.
    /// </param>
    /// <exception cref="ChatTemplateException">The template raised it, or failed, or mixes an answer with the prompt so that they cannot be told apart.</exception>
    public EncodedChat EncodeForTraining(ChatRenderInput input)
    {
        input = input with { AddGenerationPrompt = false };
        var rendered = Render(input);
        var spans = new AnswerSpans(_tokenizer, prefix => Render(prefix).Text).Find(input, rendered, out var endsOpen);
        var chat = Encode(rendered, spans);
        // A template that writes nothing behind the last answer would leave the model without an end to learn.
        return endsOpen && _tokenizer.EosTokenId is { } eos ? new EncodedChat([.. chat.Ids, eos], [.. chat.IsTrained, true]) : chat;
    }

    private ContentMarks.Result Render(ChatRenderInput input)
    {
        var withTools = input.Tools is not null;
        var marked = Render(input, new ContentMarks(_tokenizer, borders: true));
        var bare = ContentMarks.Read(_template.Render(_template.Variables(input, new ContentMarks(_tokenizer, borders: false).Write), withTools));
        // The template did something else because of the borders: it looks into contents. Then only what would become a special token is marked.
        if (marked?.Text != bare.Text) return bare;
        // A part of a content did not come out (a thought of an earlier turn); where the rest is, is known.
        return marked.IsWhole ? marked : bare with { Contents = marked.Contents };
    }

    private ContentMarks.Result? Render(ChatRenderInput input, ContentMarks marks)
    {
        try
        {
            return ContentMarks.Read(_template.Render(_template.Variables(input, marks.Write), input.Tools is not null));
        }
        catch (ChatTemplateException)
        {
            // Perhaps the marks were the reason; the bare rendering says whether they were.
            return null;
        }
    }

    private EncodedChat Encode(ContentMarks.Result rendered, IReadOnlyList<(int Start, int End)> trained)
    {
        var ids = new List<int>(rendered.Text.Length / 3);
        var isTrained = new List<bool>();
        foreach (var (start, end, token) in _tokenizer.Cut(rendered.Text, rendered.IsPlain))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                isTrained.Add(trained.Any(span => span.Start < end && start < span.End));
                continue;
            }
            var first = ids.Count;
            var stretch = rendered.Text[start..end];
            _tokenizer.EncodeStretch(ids, stretch, startsText: start == 0, parseSpecialTokens: !rendered.IsPlain.AsSpan(start..end).Contains(true));
            var bounds = trained.Where(span => span.Start < end && start < span.End)
                .Select(span => (Start: Bytes(stretch, span.Start - start, start == 0), End: Bytes(stretch, span.End - start, start == 0))).ToList();
            for (int i = first, at = 0; i < ids.Count; i++)
            {
                var next = at + _tokenizer.TokenBytes(ids[i]).Length;
                isTrained.Add(bounds.Exists(bound => bound.Start < next && at < bound.End));
                at = next;
            }
        }
        return new EncodedChat([.. ids], [.. isTrained]);
    }

    private int Bytes(string stretch, int length, bool startsText) =>
        length <= 0 ? 0 : length >= stretch.Length ? int.MaxValue : _tokenizer.DecodedByteCount(stretch[..length], startsText);
}
