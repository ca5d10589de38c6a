using System.Globalization;

namespace LangTrain.Modeling.Tokenizers.Normalization;

/// <summary>Decompositions and combining classes, read once from the embedded table that make-unicode-normalization.py wrote.</summary>
internal sealed class UnicodeTables
{
    private const string Resource = "LangTrain.Modeling.unicode-normalization.txt";
    private static readonly Lazy<UnicodeTables> Loaded = new(() => new UnicodeTables());
    private readonly Dictionary<int, byte> _classes = [];

    private UnicodeTables()
    {
        using var stream = typeof(UnicodeTables).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"{Resource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            var sign = line.IndexOfAny(['+', '=', '~', ':']);
            var point = int.Parse(line.AsSpan(0, sign), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var rest = line[(sign + 1)..];
            if (line[sign] == ':')
            {
                _classes[point] = byte.Parse(rest, CultureInfo.InvariantCulture);
                continue;
            }
            int[] parts = [.. rest.Split(' ').Select(part => int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            (line[sign] == '~' ? Compatible : Canonical)[point] = parts;
            if (line[sign] == '+') Composed[(parts[0], parts[1])] = point;
        }
    }

    public static UnicodeTables Instance => Loaded.Value;

    public Dictionary<int, int[]> Canonical { get; } = [];

    public Dictionary<int, int[]> Compatible { get; } = [];

    public Dictionary<(int First, int Second), int> Composed { get; } = [];

    public int ClassOf(int point) => point < 0x300 ? 0 : _classes.GetValueOrDefault(point);
}
