namespace LangTrain.Core.Accounts;

/// <summary>What an API key may do.</summary>
public static class Scopes
{
    /// <summary>See files, fine-tunes and their events.</summary>
    public const string Read = "read";

    /// <summary>Upload, fine-tune and delete; sees what <see cref="Read"/> sees.</summary>
    public const string Train = "train";

    /// <summary>Generate and tokenize. Sees no files and no fine-tunes, so such a key can stand in a program that others run.</summary>
    public const string Infer = "infer";

    /// <summary>Everything, keys and usage included.</summary>
    public const string Admin = "admin";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Read, Train, Infer, Admin];

    /// <summary>Whether a key with <paramref name="held"/> may do what needs <paramref name="needed"/>.</summary>
    public static bool Allow(IReadOnlyList<string> held, string needed)
    {
        ArgumentNullException.ThrowIfNull(held);
        return held.Contains(needed) || held.Contains(Admin) || (needed == Read && held.Contains(Train));
    }
}
