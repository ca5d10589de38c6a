using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Batches;

namespace LangTrain.Training.Data;

/// <summary>Canonical rows to tokens, with the mask that says what is learned. Thread-safe.</summary>
/// <remarks>
/// Chat: through the model's template, the assistant's turns are learned. Prompt and completion: the completion and the end of text behind it.
/// Text: everything. Preference: two examples, the chosen answer and the rejected one, behind the same prompt. With <see cref="LossOn.All"/>
/// the prompts of the first two are learned too.
/// Text of rows never becomes a special token.
/// </remarks>
public sealed class RowEncoder
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatPromptEncoder _chats;
    private readonly LossOn _lossOn;

    /// <summary>Makes an encoder for one model.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="chats">The model's chats; for a model without template, <see cref="ChatTemplate.Plain"/>.</param>
    /// <param name="lossOn">What is learned of chats, and of prompts and completions.</param>
    public RowEncoder(Tokenizer tokenizer, ChatPromptEncoder chats, LossOn lossOn = LossOn.Completion) => (_tokenizer, _chats, _lossOn) = (tokenizer, chats, lossOn);

    /// <summary>The shape of a row by its keys; null when it has none of the four.</summary>
    public static RowShape? ShapeOf(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object) return null;
        if (row.TryGetProperty("messages", out _)) return RowShape.Chat;
        if (row.TryGetProperty("chosen", out _)) return RowShape.Preference;
        if (row.TryGetProperty("completion", out _)) return RowShape.PromptCompletion;
        return row.TryGetProperty("text", out _) ? RowShape.Text : null;
    }

    /// <summary>Encodes one row, whatever its length.</summary>
    /// <returns>One example; two for a preference row, the chosen one first.</returns>
    /// <exception cref="TrainingDataException">A key is missing or of the wrong kind, or the chat template refuses the chat.</exception>
    public IReadOnlyList<TokenizedExample> Encode(JsonElement row)
    {
        try
        {
            return ShapeOf(row) switch
            {
                RowShape.Chat => [Learned(Chat(row, row.GetProperty("messages")), row)],
                RowShape.PromptCompletion => [Learned(Answer(row.GetProperty("prompt"), row.GetProperty("completion"), row), row)],
                RowShape.Text => [Whole(Text(row.GetProperty("text"), "text"))],
                RowShape.Preference => [Answer(row.GetProperty("prompt"), row.GetProperty("chosen"), row), Answer(row.GetProperty("prompt"), row.GetProperty("rejected"), row)],
                _ => throw new TrainingDataException("The row has none of the known shapes: messages, prompt and completion, text, or prompt, chosen and rejected."),
            };
        }
        catch (KeyNotFoundException e)
        {
            throw new TrainingDataException("The row lacks a key of its shape.", inner: e);
        }
        catch (InvalidOperationException e)
        {
            // JSON that is well formed and yet no text or of another kind: half a surrogate pair, a number for a message.
            throw new TrainingDataException($"The row cannot be read: {e.Message}", inner: e);
        }
        catch (ChatTemplateException e)
        {
            throw new TrainingDataException($"The model's chat template refuses the row: {e.Message}", inner: e);
        }
    }

    /// <summary>Encodes one row of texts as the other way would.</summary>
    /// <returns>Null where the row lacks a text of its shape, or has none.</returns>
    internal (RowShape Shape, IReadOnlyList<TokenizedExample> Examples)? Encode(TextRow row) => row switch
    {
        { Chosen: { } chosen } => row is { Prompt: { } prompt, Rejected: { } rejected } ? (RowShape.Preference, [Answer(prompt, chosen), Answer(prompt, rejected)]) : null,
        { Completion: { } completion } => row.Prompt is { } prompt ? (RowShape.PromptCompletion, [Learned(Answer(prompt, completion))]) : null,
        { Text: { } text } => (RowShape.Text, [Whole(text)]),
        _ => null,
    };

    private TokenizedExample Learned(TokenizedExample example, JsonElement row)
    {
        if (_lossOn == LossOn.All && row.TryGetProperty("messages", out var messages) && messages.EnumerateArray().Any(message => message.TryGetProperty("weight", out var weight) && weight.ValueKind == JsonValueKind.Number && weight.GetDouble() == 0))
        {
            throw new TrainingDataException("A message has weight 0, which leaves it out of the loss, while loss_on is all; only one of both can hold.");
        }
        return Learned(example);
    }

    private TokenizedExample Learned(TokenizedExample example) =>
        _lossOn == LossOn.Completion ? example : new TokenizedExample(example.Ids, LearnedFrom(FirstOfText, example.Ids.Length));

    private TokenizedExample Chat(JsonElement row, JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array) throw new TrainingDataException("messages has to be an array.");
        var chat = _chats.EncodeForTraining(new ChatRenderInput(messages)
        {
            Tools = row.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Array ? tools : null,
        });
        return new TokenizedExample(chat.Ids, chat.IsTrained);
    }

    /// <summary>A prompt and an answer: texts, or messages and the message or messages that answer them.</summary>
    private TokenizedExample Answer(JsonElement prompt, JsonElement answer, JsonElement row) =>
        prompt.ValueKind == JsonValueKind.Array ? Chat(row, Conversation(prompt, answer)) : Answer(Text(prompt, "prompt"), Text(answer, "the answer"));

    private TokenizedExample Answer(string prompt, string answer)
    {
        var promptIds = _tokenizer.Encode(prompt);
        List<int> ids = [.. _tokenizer.IdsBefore, .. promptIds];
        var start = ids.Count;
        ids.AddRange(_tokenizer.EncodeContinuation(prompt, promptIds, answer));
        AddEnd(ids);
        return new TokenizedExample([.. ids], LearnedFrom(start, ids.Count));
    }

    private TokenizedExample Whole(string text)
    {
        // Room for most texts at once: growing would copy them several times.
        var ids = new List<int>(text.Length / 3 + 8);
        ids.AddRange(_tokenizer.IdsBefore);
        _tokenizer.EncodeTo(ids, text);
        AddEnd(ids);
        return new TokenizedExample([.. ids], LearnedFrom(FirstOfText, ids.Count));
    }

    private int FirstOfText => _tokenizer.IdsBefore.Count == 0 ? 0 : 1;

    private static bool[] LearnedFrom(int start, int count)
    {
        var isLearned = new bool[count];
        isLearned.AsSpan(Math.Min(start, count)).Fill(true);
        return isLearned;
    }

    /// <summary>Without it the model would never learn to stop.</summary>
    private void AddEnd(List<int> ids)
    {
        if (_tokenizer.EosTokenId is { } eos) ids.Add(eos);
    }

    /// <summary>The prompt's messages are context, whatever they are; the answer is learned.</summary>
    private static JsonElement Conversation(JsonElement prompt, JsonElement answer)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var message in prompt.EnumerateArray())
            {
                json.WriteStartObject();
                foreach (var property in message.EnumerateObject().Where(property => property.Name != "weight")) property.WriteTo(json);
                json.WriteNumber("weight", 0);
                json.WriteEndObject();
            }
            if (answer.ValueKind == JsonValueKind.Array)
            {
                foreach (var message in answer.EnumerateArray()) message.WriteTo(json);
            }
            else if (answer.ValueKind == JsonValueKind.Object)
            {
                answer.WriteTo(json);
            }
            else
            {
                json.WriteStartObject();
                json.WriteString("role", "assistant");
                json.WriteString("content", Text(answer, "the answer"));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        using var document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    private static string Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new TrainingDataException($"{name} has to be a text.");
}
