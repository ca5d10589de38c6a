using System.Diagnostics;

namespace LangTrain.Flow.Tests;

/// <summary>The samples of the API reference run as they stand.</summary>
public sealed class ReferenceSamplesTests
{
    [Fact]
    public async Task Every_sample_of_the_reference_runs()
    {
        var script = Repository.Shared("conformance/reference_samples.py");
        Assert.SkipWhen(script is null, "the conformance runner is not beside this repository");
        var python = FindPython();
        Assert.SkipWhen(python is null, "there is no python3 with requests and websocket-client");

        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            await using var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl(), new Dictionary<string, string>
            {
                ["LANGTRAIN_MODEL_ALIASES"] = $"meta-llama/Llama-2-7b-hf={TinyModel.Id},meta-llama/Llama-2-7b-chat-hf={TinyModel.Id}",
            });

            var (exit, output) = await RunAsync(python, [script, "--base-url", host.BaseUrl.ToString(), "--api-key", host.ApiKey]);

            Assert.True(exit == 0, output);
            Assert.Contains(" passed, 0 failed", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A version manager's python3 may come first on the PATH without the packages that Debian's has.
    private static string? FindPython() => new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(program =>
    {
        try
        {
            return RunAsync(program, ["-c", "import requests, websocket"]).GetAwaiter().GetResult().Exit == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    private static async Task<(int Exit, string Output)> RunAsync(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
