using System.Buffers;
using System.Text.Json;
using LangTrain.Modeling.ChatTemplates.Jinja;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>A model's chat template: messages to the one text that the model was trained on. Thread-safe.</summary>
/// <remarks>
/// Real Jinja as the published templates use it (trim_blocks, lstrip_blocks, tojson without HTML escaping, raise_exception, strftime_now). The engine
/// is our own: what a model was trained on is what Python's Jinja2 writes, to the last blank and the last digit.
/// </remarks>
public sealed class ChatTemplate
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

    private readonly JinjaTemplate _default;
    private readonly JinjaTemplate? _toolUse;
    private readonly TokenizerSettings _settings;

    private ChatTemplate(ChatTemplateSource source, TokenizerSettings settings, TimeProvider time)
    {
        _settings = settings;
        _default = new JinjaTemplate(source.Default, time);
        _toolUse = source.ToolUse is { } toolUse ? new JinjaTemplate(toolUse, time) : null;
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
        new(new ChatTemplateSource(template, null), TokenizerSettings.Of(bosToken, eosToken), time ?? TimeProvider.System);

    /// <summary>Renders a chat.</summary>
    /// <param name="input">Messages and what else the template sees.</param>
    /// <returns>The text, special tokens written out. Encode it with <see cref="ChatPromptEncoder"/>, which keeps users' text from becoming special tokens.</returns>
    /// <exception cref="ChatTemplateException">The template raised it (its own message), or failed, or used up its limits.</exception>
    public string Render(ChatRenderInput input) => Render(Variables(input, (writer, name, value) => value.WriteTo(writer)), input.Tools is not null);

    /// <summary>Renders with variables that are written already; <paramref name="withTools"/> chooses the template.</summary>
    internal string Render(ReadOnlyMemory<byte> json, bool withTools)
    {
        // A little deeper than what a request may hold: what is written here goes around it.
        using var variables = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 });
        return (withTools && _toolUse is not null ? _toolUse : _default).Render((PythonDict)PythonJson.Read(variables.RootElement)!);
    }

    /// <summary>Writes the template's variables; <paramref name="write"/> writes messages and tools.</summary>
    internal ReadOnlyMemory<byte> Variables(ChatRenderInput input, Action<Utf8JsonWriter, string, JsonElement> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var (role, token) in _settings.Roles.Where(pair => input.Variables?.ContainsKey(pair.Key) != true)) writer.WriteString(role, token.Content);
            foreach (var (name, value) in input.Variables ?? new Dictionary<string, JsonElement>())
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
            // Where there are no documents and tools the variables are none, not undefined: published templates are written for a caller that does so.
            if (input.Variables?.ContainsKey("documents") != true) writer.WriteNull("documents");
            writer.WritePropertyName("tools");
            if (input.Tools is { } tools) write(writer, "tools", tools);
            else writer.WriteNullValue();
            writer.WritePropertyName("messages");
            write(writer, "messages", input.Messages);
            writer.WriteBoolean("add_generation_prompt", input.AddGenerationPrompt);
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }
}
