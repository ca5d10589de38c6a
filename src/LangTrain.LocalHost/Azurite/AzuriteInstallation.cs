using System.ComponentModel;
using System.Diagnostics;
using LangTrain.LocalHost.Processes;

namespace LangTrain.LocalHost.Azurite;

/// <summary>
/// The pinned Azurite, installed once by npm into the user's cache and shared by every start and every test.
/// The lock file fixes the version of each package in it; a rename at the end makes the installation appear whole or not at all.
/// </summary>
internal sealed class AzuriteInstallation
{
    /// <summary>Version of Azurite; the same as in package.json.</summary>
    public const string Version = "3.37.0";

    private const string HostScriptName = "azurite-host.cjs";
    private const string TableRangesScript = "azurite-table-ranges.cjs";
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(5);

    private AzuriteInstallation(string folder) => Folder = folder;

    /// <summary>Folder that holds node_modules.</summary>
    public string Folder { get; }

    /// <summary>Azurite's entry script.</summary>
    public string Script => Path.Combine(Folder, "node_modules", "azurite", "dist", "src", "azurite.js");

    /// <summary>Our script around it, which ties its life to the parent's.</summary>
    public string HostScript => Path.Combine(Folder, HostScriptName);

    /// <summary>The user's cache folder, or a folder beside the data where the user has none.</summary>
    public static string DefaultCacheFolder(string dataFolder)
    {
        var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return local.Length > 0 ? Path.Combine(local, "LangTrain", "cache") : Path.Combine(dataFolder, "cache");
    }

    /// <summary>Gives the installation, making it first where it is missing.</summary>
    /// <param name="cacheFolder">Where installations are kept, one folder a version.</param>
    /// <param name="progress">Told once, when an installation begins: it takes a while.</param>
    /// <param name="cancellation">Ends the wait; a half-made installation is thrown away by the next one.</param>
    /// <exception cref="StartFailedException">Node.js is missing, or npm could not install.</exception>
    public static async Task<AzuriteInstallation> EnsureAsync(string cacheFolder, Action<string> progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(cacheFolder);
        var installation = new AzuriteInstallation(Path.Combine(cacheFolder, $"azurite-{Version}"));
        if (!File.Exists(installation.Script))
        {
            using var held = await FileLock.TakeAsync(installation.Folder + ".lock", InstallPatience, cancellation);
            if (!File.Exists(installation.Script))
            {
                progress($"Installing Azurite {Version} (once, about half a minute)");
                await InstallAsync(installation.Folder, cancellation);
            }
        }

        WriteScript(installation.Folder, TableRangesScript);
        WriteScript(installation.Folder, HostScriptName);
        return installation;
    }

    // The scripts belong to this build, not to the installed version: an older build's must not stay.
    private static void WriteScript(string folder, string name)
    {
        var (path, wanted) = (Path.Combine(folder, name), Resource(name));
        if (File.Exists(path) && File.ReadAllText(path) == wanted)
        {
            return;
        }

        var temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, wanted);
        File.Move(temporary, path, overwrite: true);
    }

    private static async Task InstallAsync(string folder, CancellationToken cancellation)
    {
        var temporary = folder + ".new";
        DeleteFolder(temporary);
        DeleteFolder(folder);
        Directory.CreateDirectory(temporary);
        await File.WriteAllTextAsync(Path.Combine(temporary, "package.json"), Resource("package.json"), cancellation);
        await File.WriteAllTextAsync(Path.Combine(temporary, "package-lock.json"), Resource("package-lock.json"), cancellation);
        await RunNpmAsync(temporary, cancellation);
        Directory.Move(temporary, folder);
    }

    private static async Task RunNpmAsync(string folder, CancellationToken cancellation)
    {
        // On Windows npm is a batch file, which only the command interpreter starts.
        var (program, first) = OperatingSystem.IsWindows() ? ("cmd.exe", new[] { "/c", "npm" }) : ("npm", []);
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[.. first, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        {
            start.ArgumentList.Add(argument);
        }

        Process npm;
        try
        {
            npm = Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new StartFailedException("npm was not found. Install Node.js 20 or newer, or give a storage account in AzureWebJobsStorage.", missing);
        }

        using (npm)
        {
            var output = npm.StandardOutput.ReadToEndAsync(cancellation);
            var errors = npm.StandardError.ReadToEndAsync(cancellation);
            try
            {
                await npm.WaitForExitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                npm.Kill(entireProcessTree: true);
                throw;
            }

            if (npm.ExitCode != 0)
            {
                var reason = FirstLine(await errors) ?? FirstLine(await output) ?? $"npm ended with status {npm.ExitCode}";
                throw new StartFailedException($"Azurite {Version} could not be installed: {reason}");
            }
        }
    }

    private static string? FirstLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Resource(string name)
    {
        using var stream = typeof(AzuriteInstallation).Assembly.GetManifestResourceStream($"Azurite/{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
