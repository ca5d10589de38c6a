using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace LangTrain.Benchmarks;

/// <summary>llama.cpp's own benchmark programs on a GGUF file that this project exported.</summary>
/// <param name="prefix">Words before each program's name (a container, a chroot, a path); empty where they are on the PATH.</param>
/// <param name="folder">The file's folder as those programs see it.</param>
/// <param name="threads">Threads that they may use.</param>
internal sealed class LlamaPeer(string[] prefix, string folder, int threads)
{
    private string Threads => threads.ToString(CultureInfo.InvariantCulture);

    /// <summary>Tokens a second of one row's decoding, with nothing in the cache at first.</summary>
    public double Decode(string file, int tokens) => Bench(file, "-p", "0", "-n", $"{tokens}");

    /// <summary>Tokens a second of reading one prompt.</summary>
    public double Prefill(string file, int tokens) => Bench(file, "-p", $"{tokens}", "-n", "0");

    /// <summary>Tokens a second of several rows together.</summary>
    public double DecodeRows(string file, int rows, int prompt, int tokens)
    {
        var context = (rows * (prompt + tokens)).ToString(CultureInfo.InvariantCulture);
        var output = Run("llama-batched-bench", ["-m", Path.Combine(folder, file), "-t", Threads, "-c", context, "-npp", $"{prompt}", "-ntg", $"{tokens}", "-npl", $"{rows}", "--output-format", "jsonl"]);
        var line = output.Split('\n').Last(l => l.StartsWith('{'));
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("speed_tg").GetDouble();
    }

    /// <summary>Seconds from the start of a process to its end that loads the file and reads one token, less one that has nothing to load.</summary>
    public double Load(string file)
    {
        var start = Stopwatch.GetTimestamp();
        Run("llama-bench", ["-m", Path.Combine(folder, file), "-t", Threads, "-p", "1", "-n", "0", "-r", "1", "--no-warmup"]);
        var loaded = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        Run("llama-bench", ["--help"]);
        return (loaded - Stopwatch.GetElapsedTime(start)).TotalSeconds;
    }

    private double Bench(string file, params string[] what)
    {
        var output = Run("llama-bench", ["-m", Path.Combine(folder, file), "-t", Threads, "-r", "1", "-o", "json", .. what]);
        using var json = JsonDocument.Parse(output[output.IndexOf('[', StringComparison.Ordinal)..]);
        return json.RootElement[0].GetProperty("avg_ts").GetDouble();
    }

    private string Run(string program, string[] arguments)
    {
        string[] line = [.. prefix, program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {errors.GetAwaiter().GetResult()}");
    }
}
