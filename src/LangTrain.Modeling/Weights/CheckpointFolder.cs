using System.Text.Json;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The weights of a model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
internal sealed class CheckpointFolder : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _where = [];

    private CheckpointFolder()
    {
    }

    public IEnumerable<string> Names => _where.Keys;

    /// <exception cref="FileNotFoundException">The folder has no weights, or a shard that the index names is absent.</exception>
    /// <exception cref="InvalidDataException">A file is not sound, or index and shards do not agree.</exception>
    public static CheckpointFolder Open(string folder)
    {
        var checkpoint = new CheckpointFolder();
        try
        {
            string single = Path.Combine(folder, "model.safetensors"), index = single + ".index.json";
            if (File.Exists(single))
            {
                checkpoint.Add(single);
            }
            else if (File.Exists(index))
            {
                checkpoint.AddShards(folder, index);
            }
            else
            {
                throw new FileNotFoundException($"'{folder}' has neither model.safetensors nor model.safetensors.index.json.", single);
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => _where.ContainsKey(name);

    public SafetensorsEntry Entry(string name) => _where[name][name];

    /// <summary>A view on the file's pages; see <see cref="SafetensorsFile.View"/>.</summary>
    public Tensor View(string name) => _where[name].View(name);

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private SafetensorsFile Add(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (!_where.TryAdd(entry.Name, file))
            {
                throw new InvalidDataException($"Two shards hold '{entry.Name}'.");
            }
        }

        return file;
    }

    /// <summary>Which shard holds which tensor; shards are files of the index's own folder.</summary>
    /// <exception cref="InvalidDataException">The index is damaged, or names files elsewhere.</exception>
    internal static Dictionary<string, string> ReadIndex(string index)
    {
        Dictionary<string, string> map;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(index));
            map = document.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString() ?? "");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{Path.GetFileName(index)} is not a sound index: {error.Message}", error);
        }

        // The index comes with the weights, from anywhere: it may name files of its own folder only.
        return map.Values.FirstOrDefault(shard => shard.Length == 0 || shard != Path.GetFileName(shard) || shard is "." or "..") is { } elsewhere
            ? throw new InvalidDataException($"{Path.GetFileName(index)} names '{elsewhere}', which is not a file of the folder.")
            : map;
    }

    private void AddShards(string folder, string index)
    {
        Dictionary<string, string> map = ReadIndex(index);
        Dictionary<string, SafetensorsFile> shards = [];
        foreach (string shard in map.Values.Distinct())
        {
            string path = Path.Combine(folder, shard);
            shards[shard] = File.Exists(path) ? Add(path) : throw new FileNotFoundException($"{Path.GetFileName(index)} names '{shard}', which is absent.", path);
        }

        foreach ((string name, string shard) in map)
        {
            if (!shards[shard].Contains(name))
            {
                throw new InvalidDataException($"{Path.GetFileName(index)} puts '{name}' into '{shard}', which does not hold it.");
            }
        }
    }
}
