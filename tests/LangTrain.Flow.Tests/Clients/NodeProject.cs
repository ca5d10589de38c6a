using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace LangTrain.Flow.Tests.Clients;

/// <summary>The official JavaScript client at the version of the lock file here, installed once by npm into the user's cache.</summary>
internal sealed class NodeProject
{
    private static readonly string Sources = Path.Combine(Repository.Root, "tests", "LangTrain.Flow.Tests", "Clients");
    private static readonly Lazy<Task<NodeProject>> Installation = new(InstallAsync);
    private static readonly Lazy<string?> Absence = new(() => Starts("node") && Starts("npm") ? null : "there is no Node.js with npm");

    private readonly string _folder;

    private NodeProject(string folder) => _folder = folder;

    /// <summary>Why the client cannot run on this machine; null where it can.</summary>
    public static string? Missing => Absence.Value;

    /// <summary>The installation, made by the first who asks.</summary>
    public static Task<NodeProject> InstalledAsync() => Installation.Value;

    /// <summary>Runs a script's tests, each with three minutes.</summary>
    public async Task<(int Exit, string Output)> TestAsync(string script, IReadOnlyDictionary<string, string> environment)
    {
        // Modules are looked for from the script's own place upwards.
        var run = Directory.CreateDirectory(Path.Combine(_folder, "run-" + Guid.NewGuid().ToString("N")));
        try
        {
            foreach (var file in Directory.GetFiles(Sources, "*.mjs"))
            {
                File.Copy(file, Path.Combine(run.FullName, Path.GetFileName(file)));
            }

            return await RunAsync("node", run.FullName, environment, "--test", "--test-reporter=spec", "--test-timeout=180000", script);
        }
        finally
        {
            run.Delete(recursive: true);
        }
    }

    private static async Task<NodeProject> InstallAsync()
    {
        var lockFile = Path.Combine(Sources, "package-lock.json");
        var version = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(lockFile)))[..16];
        var cache = Directory.CreateDirectory(Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "LangTrain", "cache"));
        var folder = Path.Combine(cache.FullName, "openai-tests-" + version);
        if (!Directory.Exists(folder))
        {
            var temporary = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():N}");
            foreach (var name in (string[])["package.json", "package-lock.json"])
            {
                File.Copy(Path.Combine(Sources, name), Path.Combine(temporary.FullName, name));
            }

            var (exit, output) = await RunAsync(
                "npm", temporary.FullName, new Dictionary<string, string>(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
            Assert.True(exit == 0, output);
            try
            {
                temporary.MoveTo(folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another run was faster; what it installed is the same.
                Directory.Delete(temporary.FullName, recursive: true);
            }
        }

        return new NodeProject(folder);
    }

    private static bool Starts(string program)
    {
        try
        {
            return RunAsync(program, Sources, new Dictionary<string, string>(), "--version").GetAwaiter().GetResult().Exit == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(
        string program, string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        return (process.HasExited ? process.ExitCode : -1, await output + await errors);
    }
}
