using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LangTrain.Modeling.Tests;

/// <summary>llama.cpp's programs, where this machine has them: in the folder that LLAMA_CPP_BIN names, or on the PATH.</summary>
internal static class LlamaCpp
{
    public static double Perplexity(string model, string textFile)
    {
        // The program logs by a thread of its own and at times ends before its last line is out: then it is asked again.
        Match found = Match.Empty;
        string log = "";
        for (int attempt = 0; attempt < 40 && !found.Success; attempt++)
        {
            (string output, log) = Run("llama-perplexity", "-m", model, "-f", textFile, "-c", "128", "-b", "128", "-t", "1", "-ctk", "f32", "-ctv", "f32");
            found = Regex.Match(output + log, @"Final estimate: PPL = ([0-9.]+)");
        }

        Assert.True(found.Success, log);
        return double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    public static string Greedy(string model, string prompt, int tokens) =>
        Run("llama-completion", "-m", model, "-p", prompt, "-n", tokens.ToString(CultureInfo.InvariantCulture), "--temp", "0", "--no-display-prompt", "-no-cnv", "-t", "1", "-ctk", "f32", "-ctv", "f32").Output;

    private static (string Output, string Log) Run(string program, params string[] arguments)
    {
        string? own = Environment.GetEnvironmentVariable("LLAMA_CPP_BIN");
        string? path = (own is null ? Environment.GetEnvironmentVariable("PATH") ?? "" : own).Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"llama.cpp is not here: put {program} on the PATH, or name its folder in LLAMA_CPP_BIN.");
        using Process process = Process.Start(new ProcessStartInfo(path!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        Task<string> log = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (output, log.GetAwaiter().GetResult());
    }
}
