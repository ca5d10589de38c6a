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
    public CompiledGrammar Compile(ResponseFormat format)
    {
        var key = format.Schema is { } schema ? schema.GetRawText() : "";
        return Compile(key, "response_format", grammar => format.Schema is { } s ? SchemaReader.Read(grammar, s) : ObjectOf(grammar));
    }

    /// <summary>The grammar of one call of a function: its name, and arguments that its parameters' schema describes.</summary>
    /// <param name="tools">Tools as they are on the wire.</param>
    /// <param name="only">The function that must be called; null is any.</param>
    /// <exception cref="GenerationParameterException">There is no such function, or its schema uses a keyword that is not supported.</exception>
    public CompiledGrammar CompileCall(JsonElement tools, string? only)
    {
        var functions = tools.EnumerateArray().Select(t => t.TryGetProperty("function", out var f) ? f : t)
            .Where(f => f.TryGetProperty("name", out var name) && (only is null || name.GetString() == only)).ToList();
        if (functions.Count == 0)
            throw new GenerationParameterException("tool_choice", only is null ? "tools has no function to call." : $"tools has no function '{only}'.");
        return Compile($"{only}\n{tools.GetRawText()}", "tools", grammar =>
        {
            var json = new JsonPieces(grammar);
            return grammar.Choice([.. functions.Select(f => json.Object(
            [
                ("name", json.Literal(f.GetProperty("name")), true),
                ("arguments", f.TryGetProperty("parameters", out var schema) ? SchemaReader.Read(grammar, schema) : json.Object([]), true),
            ]))]);
        });
    }

    private CompiledGrammar Compile(string key, string parameter, Func<Grammar, GrammarNode> read)
    {
        lock (_lock)
        {
            if (!_compiled.TryGetValue(key, out var found) || found.Grammar.Grammar.Count > MaxStates)
            {
                try
                {
                    var grammar = new Grammar();
                    found.Grammar = new CompiledGrammar(grammar, read(grammar), _trie.Value, _endTokens);
                }
                catch (UnsupportedSchemaException e)
                {
                    throw new GenerationParameterException(parameter, e.Message);
                }
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
