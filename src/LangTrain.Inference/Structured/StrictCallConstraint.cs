using System.Runtime.InteropServices;

namespace LangTrain.Inference.Structured;

/// <summary>
/// Leaves an answer free until it begins a tool call, and holds that call to the functions' schemas: what <c>strict</c> promises where the model may
/// call but need not. A call is held from a tag of its own on (<c>&lt;tool_call&gt;</c>), or from the moment at which an object that names a function
/// comes to its arguments; what leaves the way of a call before that is no call.
/// </summary>
/// <remarks>Loop thread only, like the grammar it walks.</remarks>
/// <param name="compiled">White space and one call.</param>
internal sealed class StrictCallConstraint(CompiledGrammar compiled) : ITokenConstraint
{
    private static readonly byte[][] Markers = [.. Text.ToolCallReader.Markers.Select(System.Text.Encoding.ASCII.GetBytes)];
    private static readonly byte[][] ArgumentKeys = ["\"arguments\""u8.ToArray(), "\"parameters\""u8.ToArray()];
    private static readonly int LongestWord = Markers.Concat(ArgumentKeys).Max(m => m.Length);

    private readonly List<byte> _tail = []; // The last bytes, as many as the longest word that is looked for has.
    private GrammarNode? _call; // Where the call stands; null in free text.
    private bool _holds;
    private bool _mayBegin = true; // Nothing but white space, brackets and commas since the answer's beginning or the last call.

    /// <inheritdoc/>
    public bool IsComplete => false;

    /// <inheritdoc/>
    public void Apply(Span<float> logits, int remainingTokens)
    {
        if (_call is not null && _holds)
            GrammarConstraint.Apply(compiled, _call, logits, remainingTokens);
    }

    /// <inheritdoc/>
    public void Accept(int tokenId)
    {
        foreach (var value in compiled.Trie.BytesOf(tokenId))
        {
            if (_call is not null)
                Continue(value);
            else
                Watch(value);
        }
    }

    private void Continue(byte value)
    {
        _call = compiled.Grammar.Next(_call!, value);
        if (_call.Kind == GrammarNodeKind.Nothing)
            (_call, _holds, _mayBegin) = (null, false, false);
        else if (_call.IsNullable)
            (_call, _holds, _mayBegin) = (null, false, true); // A call is one object: nothing can follow its last brace.
        else
            _holds |= EndsWith(value, ArgumentKeys) is not null;
    }

    private void Watch(byte value)
    {
        if (_mayBegin && value == '{')
        {
            _call = compiled.Start;
            Continue(value);
            return;
        }
        _mayBegin &= value is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)'[' or (byte)',' or (byte)';';
        if (EndsWith(value, Markers) is not { } marker)
            return;
        _mayBegin = true;
        if (marker[0] == '<') // After the other, Mistral's, a bracket comes first.
            (_call, _holds) = (compiled.Start, true);
    }

    private byte[]? EndsWith(byte value, byte[][] words)
    {
        _tail.Add(value);
        if (_tail.Count > LongestWord)
            _tail.RemoveAt(0);
        return System.Array.Find(words, word => CollectionsMarshal.AsSpan(_tail).EndsWith(word));
    }
}
