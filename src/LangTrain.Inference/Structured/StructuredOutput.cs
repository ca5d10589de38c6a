using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Inference.Structured;

/// <summary>Compiles response formats for one model and remembers the last ones, with the automata and masks that they grew. Thread-safe.</summary>
/// <param name="vocabularySize">Tokens of the model.</param>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="endTokens">Tokens that end an answer.</param>
internal sealed class StructuredOutput(int vocabularySize, Tokenizer tokenizer, IReadOnlyCollection<int> endTokens)
{
    private const int MaxFormats = 32;

    /// <summary>A grammar that grew beyond this is compiled anew for the next request: states of long answers are not kept for ever.</summary>
    private const int MaxStates = 20_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (CompiledGrammar Grammar, long UsedAt)> _compiled = [];
    private readonly int[] _endTokens = [.. endTokens.Where(id => id >= 0 && id < vocabularySize)];
    private readonly Lazy<TokenTrie> _trie = new(() => new TokenTrie(vocabularySize, id =>
        id >= tokenizer.VocabularySize || tokenizer.IsSpecial(id) || endTokens.Contains(id) ? [] : tokenizer.TokenBytes(id).ToArray()));

    private long _clock;

    /// <summary>The grammar of a response format.</summary>
    /// <exception cref="GenerationParameterException">The schema uses a keyword that is not supported.</exception>
    public CompiledGrammar Compile(ResponseFormat format) => Compile(KeyOf(format), grammar => FormatOf(grammar, format));

    /// <summary>The grammar of one call of a function: its name, and arguments that its parameters' schema describes.</summary>
    /// <param name="tools">Tools as they are on the wire.</param>
    /// <param name="only">The function that must be called; null is any.</param>
    /// <exception cref="GenerationParameterException">There is no such function, or its schema uses a keyword that is not supported.</exception>
    public CompiledGrammar CompileCall(JsonElement tools, string? only) => Compile($"{only}\n{tools.GetRawText()}", grammar => CallOf(grammar, tools, only));

    /// <summary>The grammar of an answer that is a call of one of the functions or has the response format.</summary>
    /// <exception cref="GenerationParameterException">A schema uses a keyword that is not supported.</exception>
    public CompiledGrammar CompileCallOr(JsonElement tools, ResponseFormat format) => Compile(
        $"\n{tools.GetRawText()}\n{KeyOf(format)}", grammar => grammar.Choice(CallOf(grammar, tools, null), FormatOf(grammar, format)));

    /// <summary>The grammar of a call that an answer may make of its own accord, white space before it; null where no function is <c>strict</c>.</summary>
    /// <exception cref="GenerationParameterException">A strict function's schema uses a keyword that is not supported.</exception>
    public CompiledGrammar? CompileStrictCall(JsonElement tools)
    {
        if (!tools.EnumerateArray().Any(IsStrict))
            return null;
        return Compile($"strict\n{tools.GetRawText()}", grammar =>
        {
            var json = new JsonPieces(grammar);
            var calls = from tool in tools.EnumerateArray()
                        where tool.TryGetProperty("function", out _)
                        let function = tool.GetProperty("function")
                        let arguments = !IsStrict(tool) ? json.Map(json.Value) : ArgumentsOf(grammar, json, function)
                        from key in (string[])["arguments", "parameters"]
                        select json.Object([("name", json.Literal(function.GetProperty("name")), true), (key, arguments, true)]);
            return grammar.Sequence(json.Space, grammar.Choice([.. calls]));
        });

        static bool IsStrict(JsonElement tool) =>
            tool.TryGetProperty("function", out var f) && f.TryGetProperty("strict", out var strict) && strict.ValueKind == JsonValueKind.True;
    }

    private static string KeyOf(ResponseFormat format) => format.Schema is { } schema ? schema.GetRawText() : "";

    private static GrammarNode FormatOf(Grammar grammar, ResponseFormat format) =>
        format.Schema is { } schema ? Read(grammar, schema, "response_format") : ObjectOf(grammar);

    private static GrammarNode CallOf(Grammar grammar, JsonElement tools, string? only)
    {
        var functions = tools.EnumerateArray().Select(t => t.TryGetProperty("function", out var f) ? f : t)
            .Where(f => f.TryGetProperty("name", out var name) && (only is null || name.GetString() == only)).ToList();
        if (functions.Count == 0)
            throw new GenerationParameterException("tool_choice", only is null ? "tools has no function to call." : $"tools has no function '{only}'.");
        var json = new JsonPieces(grammar);
        return grammar.Choice([.. functions.Select(f => CallOf(grammar, json, f))]);
    }

    private static GrammarNode CallOf(Grammar grammar, JsonPieces json, JsonElement function) => json.Object(
    [
        ("name", json.Literal(function.GetProperty("name")), true),
        ("arguments", ArgumentsOf(grammar, json, function), true),
    ]);

    private static GrammarNode ArgumentsOf(Grammar grammar, JsonPieces json, JsonElement function) =>
        function.TryGetProperty("parameters", out var schema) ? Read(grammar, schema, "tools") : json.Object([]);

    private static GrammarNode Read(Grammar grammar, JsonElement schema, string parameter)
    {
        try
        {
            return SchemaReader.Read(grammar, schema);
        }
        catch (UnsupportedSchemaException e)
        {
            throw new GenerationParameterException(parameter, e.Message);
        }
    }

    private CompiledGrammar Compile(string key, Func<Grammar, GrammarNode> read)
    {
        lock (_lock)
        {
            if (!_compiled.TryGetValue(key, out var found) || found.Grammar.Grammar.Count > MaxStates)
            {
                var grammar = new Grammar();
                found.Grammar = new CompiledGrammar(grammar, read(grammar), _trie.Value, _endTokens);
                if (_compiled.Count >= MaxFormats)
                    _compiled.Remove(_compiled.MinBy(c => c.Value.UsedAt).Key);
            }
            _compiled[key] = (found.Grammar, ++_clock);
            return found.Grammar;
        }
    }

    private static GrammarNode ObjectOf(Grammar grammar)
    {
        var json = new JsonPieces(grammar);
        return json.Map(json.Value);
    }
}
