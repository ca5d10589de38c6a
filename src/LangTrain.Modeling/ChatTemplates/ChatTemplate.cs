using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>A model's chat template: messages to the one text that the model was trained on. Thread-safe.</summary>
/// <remarks>
/// Real Jinja as the published templates use it (trim_blocks, lstrip_blocks, tojson without HTML escaping, raise_exception, strftime_now),
/// run by @huggingface/jinja in a JavaScript engine; engines are pooled, so that a warm render takes about a millisecond.
/// </remarks>
public sealed class ChatTemplate : IDisposable
{
    /// <summary>For models without a template: headings of plain text, and the end of text behind each answer.</summary>
    /// <remarks>The model has to learn it, which is what a fine-tune on chats does. Training and serving use the same one, so that they agree.</remarks>
    public const string Plain = """
        {{- bos_token }}
        {%- for message in messages %}
            {{- '### ' + message.role | capitalize + ':\n' }}
            {%- if message.content is string %}
                {{- message.content | trim }}
            {%- elif message.content is iterable %}
                {%- for part in message.content if part.type == 'text' %}{{- part.text | trim }}{%- endfor %}
            {%- endif %}
            {%- if message.role == 'assistant' %}{{- eos_token }}{%- endif %}
            {{- '\n\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}{{- '### Assistant:\n' }}{%- endif %}
        """;

    private readonly ConcurrentBag<TemplateEngine> _idle = [];
    private readonly ConcurrentBag<TemplateEngine> _idleForTools = [];
    private readonly ChatTemplateSource _source;
    private readonly TokenizerSettings _settings;
    private readonly TimeProvider _time;
    private bool _disposed;

    private ChatTemplate(ChatTemplateSource source, TokenizerSettings settings, TimeProvider time)
    {
        (_source, _settings, _time) = (source, settings, time);
        // A template that does not parse is known when the model is loaded, not at the first chat.
        _idle.Add(new TemplateEngine(source.Default, time));
    }

    /// <summary>Loads <c>chat_template.jinja</c>, or the <c>chat_template</c> of <c>tokenizer_config.json</c> (one text or a list of named ones).</summary>
    /// <param name="folder">A model's folder in Hugging Face's layout.</param>
    /// <param name="time">For templates that print today's date; the system's clock when null.</param>
    /// <returns>Null where the model has no template.</returns>
    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    /// <exception cref="InvalidDataException">A file is there and cannot be understood.</exception>
    public static ChatTemplate? Load(string folder, TimeProvider? time = null)
    {
        var source = ChatTemplateSource.Read(folder);
        return source is null ? null : new ChatTemplate(source, TokenizerSettings.Read(folder), time ?? TimeProvider.System);
    }

    /// <summary>Loads a model's template, or makes <see cref="Plain"/> where it has none.</summary>
    /// <param name="folder">A model's folder in Hugging Face's layout.</param>
    /// <param name="tokenizer">The model's tokenizer, for the plain template's special tokens.</param>
    /// <param name="time">For templates that print today's date; the system's clock when null.</param>
    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    /// <exception cref="InvalidDataException">A file is there and cannot be understood.</exception>
    public static ChatTemplate LoadOrPlain(string folder, Tokenizer tokenizer, TimeProvider? time = null) =>
        Load(folder, time) ?? Parse(Plain, tokenizer.BosToken, tokenizer.EosToken, time);

    /// <summary>Makes a template from its text.</summary>
    /// <param name="template">Jinja.</param>
    /// <param name="bosToken">The template's <c>bos_token</c>; null leaves it undefined.</param>
    /// <param name="eosToken">The template's <c>eos_token</c>; null leaves it undefined.</param>
    /// <param name="time">For templates that print today's date; the system's clock when null.</param>
    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    public static ChatTemplate Parse(string template, string? bosToken = null, string? eosToken = null, TimeProvider? time = null) =>
        new(new ChatTemplateSource(template, null), TokenizerSettings.Empty with { BosToken = bosToken, EosToken = eosToken }, time ?? TimeProvider.System);

    /// <summary>Renders a chat.</summary>
    /// <param name="input">Messages and what else the template sees.</param>
    /// <returns>The text, special tokens written out. Encode it with <see cref="ChatPromptEncoder"/>, which keeps users' text from becoming special tokens.</returns>
    /// <exception cref="ChatTemplateException">The template raised it (its own message), or failed, or used up its limits.</exception>
    public string Render(ChatRenderInput input) => Render(Variables(input, (writer, name, value) => value.WriteTo(writer)), input.Tools is not null);

    /// <summary>Renders with variables that are written already; <paramref name="withTools"/> chooses the template.</summary>
    internal string Render(string json, bool withTools)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var forTools = withTools && _source.ToolUse is not null;
        var idle = forTools ? _idleForTools : _idle;
        if (!idle.TryTake(out var engine)) engine = new TemplateEngine(forTools ? _source.ToolUse! : _source.Default, _time);
        var reusable = false;
        try
        {
            var text = engine.Render(json);
            reusable = true;
            return text;
        }
        catch (ChatTemplateException e)
        {
            // What the template raised leaves the engine as it was; a broken limit may not.
            reusable = e.InnerException is null;
            throw;
        }
        finally
        {
            if (reusable && idle.Count < Environment.ProcessorCount && !_disposed) idle.Add(engine);
            else engine.Dispose();
        }
    }

    /// <summary>Writes the template's variables; <paramref name="write"/> writes messages and tools.</summary>
    internal string Variables(ChatRenderInput input, Action<Utf8JsonWriter, string, JsonElement> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (_settings.BosToken is { } bos) writer.WriteString("bos_token", bos);
            if (_settings.EosToken is { } eos) writer.WriteString("eos_token", eos);
            if (_settings.PadToken is { } pad) writer.WriteString("pad_token", pad);
            foreach (var (name, value) in input.Variables ?? new Dictionary<string, JsonElement>())
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
            // Where there are no tools the variable is none, not undefined: published templates are written for a caller that does so.
            writer.WritePropertyName("tools");
            if (input.Tools is { } tools) write(writer, "tools", tools);
            else writer.WriteNullValue();
            writer.WritePropertyName("messages");
            write(writer, "messages", input.Messages);
            writer.WriteBoolean("add_generation_prompt", input.AddGenerationPrompt);
            writer.WriteEndObject();
        }
        return MarkFloats(buffer.WrittenSpan);
    }

    /// <summary>JavaScript has one kind of number; Python writes 1.0 for a float, so that each is told apart for <see cref="JinjaCorrections"/>.</summary>
    private static string MarkFloats(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder();
        var done = 0;
        for (var reader = new Utf8JsonReader(json); reader.Read();)
        {
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan.IndexOfAny(".eE"u8) < 0) continue;
            var start = (int)reader.TokenStartIndex;
            text.Append(Encoding.UTF8.GetString(json[done..start])).Append("{\"").Append(JinjaCorrections.FloatMark).Append("\":").Append(Encoding.UTF8.GetString(reader.ValueSpan)).Append('}');
            done = start + reader.ValueSpan.Length;
        }
        return text.Append(Encoding.UTF8.GetString(json[done..])).ToString();
    }

    /// <summary>Ends the pooled engines. A render that is under way ends normally.</summary>
    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var engine)) engine.Dispose();
        while (_idleForTools.TryTake(out var engine)) engine.Dispose();
    }
}
