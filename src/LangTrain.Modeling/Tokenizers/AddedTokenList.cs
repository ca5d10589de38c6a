using LangTrain.Modeling.Tokenizers.BytePair;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Joins the added tokens of tokenizer.json with those that only the files beside it name.</summary>
/// <remarks>
/// As Hugging Face transformers 5 does: a token that the vocabulary has keeps its id, any other gets the next free one, whatever id it is said to have;
/// what tokenizer_config.json says of a token's switches holds; a token with a role is special.
/// </remarks>
internal sealed class AddedTokenList
{
    private readonly BytePairVocabulary _vocabulary;
    private readonly OrderedDictionary<string, AddedToken> _tokens = [];
    private int _largestId = -1;

    private AddedTokenList(BytePairVocabulary vocabulary) => _vocabulary = vocabulary;

    /// <param name="own">Those of tokenizer.json.</param>
    /// <param name="vocabulary">The model's entries.</param>
    /// <param name="settings">What lies beside.</param>
    /// <param name="isBuilt">There is no tokenizer.json: the class's own tokens are part of the tokenizer even where the vocabulary lacks them.</param>
    /// <exception cref="UnsupportedTokenizerException">The next free id is that of another token.</exception>
    public static IReadOnlyList<AddedToken> Join(IReadOnlyList<AddedToken> own, BytePairVocabulary vocabulary, TokenizerSettings settings, bool isBuilt)
    {
        var list = new AddedTokenList(vocabulary);
        foreach (var token in own) list.Put(token);
        var named = settings.Roles.Select(pair => pair.Value).Where(token => isBuilt || !settings.OfClass.Contains(token) || list.Find(token.Content) is not null).ToList();
        var roles = named.Select(token => token.Content).ToHashSet();
        foreach (var token in own.Where(token => roles.Contains(token.Content))) list.Put(token with { IsSpecial = true });
        foreach (var token in settings.Listed) list.Add(token with { IsSpecial = token.IsSpecial || roles.Contains(token.Content) });
        foreach (var token in named.Concat(settings.Extra))
        {
            if (!list._tokens.ContainsKey(token.Content)) list.Add(token);
        }
        if (settings.TokenizerClass == "Qwen2Tokenizer")
        {
            // This class adds its special tokens once more, as plain as can be.
            foreach (var token in named.Concat(settings.Extra)) list.Add(AddedToken.Special(token.Content));
        }
        return [.. list._tokens.Values];
    }

    private int? Find(string content) => _tokens.TryGetValue(content, out var known) ? known.Id : _vocabulary.Find(content) is var id and >= 0 ? id : null;

    private void Add(AddedToken token)
    {
        if (token.Content.Length == 0) return;
        Put(token with { Id = Find(token.Content) ?? NextId(token.Content), IsSpecial = token.IsSpecial || (_tokens.TryGetValue(token.Content, out var known) && known.IsSpecial) });
    }

    private int NextId(string content)
    {
        var id = Math.Max(_largestId + 1, _vocabulary.Entries.Count);
        return _vocabulary.TextOf(id) is { Length: > 0 } taken
            ? throw new UnsupportedTokenizerException("tokenizer_config.json", $"'{content}' would get the id {id}, which is that of '{taken}'; it needs an entry in tokenizer.json")
            : id;
    }

    private void Put(AddedToken token)
    {
        _tokens[token.Content] = token;
        _largestId = Math.Max(_largestId, token.Id);
    }
}
