using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LangTrain.Training.Data;
using LangTrain.Training.TinyBaseModel;

namespace LangTrain.Benchmarks;

/// <summary>Tokenizes a large JSONL as a run does before it trains; shows that memory does not grow with the file.</summary>
internal static class DataSpeed
{
    /// <param name="args">A folder with a tokenizer and config.json; megabytes of the file, 1024 by default; "text" or "completion" rows; a text file that rows are made from, a paragraph each (the demo's corpus by default).</param>
    public static int Run(string[] args)
    {
        var megabytes = int.Parse(args.ElementAtOrDefault(1) ?? "1024", CultureInfo.InvariantCulture);
        var isText = args.ElementAtOrDefault(2) != "completion";
        var folder = Directory.CreateTempSubdirectory("data-speed").FullName;
        try
        {
            // The same 16 MB again and again, after a small file that has the code compiled: rows are independent, and a tokenizer forgets them between.
            var block = Block(isText, args.Length > 3 ? File.ReadAllText(args[3]).Split("\n\n", StringSplitOptions.RemoveEmptyEntries) : TinyCorpus.Documents(seed: 11));
            foreach (var size in (int[])[8, Math.Max(16, megabytes / 4), megabytes])
            {
                var path = Path.Combine(folder, $"{size}.jsonl");
                using (var file = File.Create(path))
                {
                    while (file.Length < (long)size << 20)
                    {
                        file.Write(block);
                    }
                }

                using var process = Process.GetCurrentProcess();
                var processorTime = process.TotalProcessorTime;
                var start = Stopwatch.GetTimestamp();
                using var tokenized = TokenizedFile.Open(path, args[0], new TokenizingOptions(2048, LongRowPolicy.Truncate), Path.Combine(folder, $"{size}"));
                var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                process.Refresh();
                Console.WriteLine(FormattableString.Invariant(
                    $"{new FileInfo(path).Length >> 20,5} MB in {seconds,6:f1} s: {new FileInfo(path).Length / seconds / 1e6,6:f1} MB/s, {new FileInfo(path).Length / (process.TotalProcessorTime - processorTime).TotalSeconds / 1e6,5:f1} MB a second of processor time, {tokenized.Statistics.Tokens:N0} tokens ({tokenized.ContentHash[..8]}); peak {process.PeakWorkingSet64 >> 20} MB"));
                File.Delete(path);
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Block(bool isText, IEnumerable<string> documents)
    {
        using var block = new MemoryStream();
        foreach (var document in documents)
        {
            var half = document.Length / 2;
            block.Write(isText
                ? JsonSerializer.SerializeToUtf8Bytes(new { text = document })
                : JsonSerializer.SerializeToUtf8Bytes(new { prompt = document[..half], completion = document[half..] }));
            block.WriteByte((byte)'\n');
            if (block.Length >= 16 << 20)
            {
                break;
            }
        }

        return block.ToArray();
    }
}
