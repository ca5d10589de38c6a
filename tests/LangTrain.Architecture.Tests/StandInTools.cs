namespace LangTrain.Architecture.Tests;

/// <summary>A folder of programs that note how they were called, to be put before the PATH.</summary>
internal sealed class StandInTools : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("stand-in-tools");

    /// <summary>Where they are.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Every call so far: the program and its arguments.</summary>
    public IReadOnlyList<string> Calls => File.Exists(Log) ? File.ReadAllLines(Log) : [];

    private string Log => Path.Combine(Folder, "calls.log");

    /// <summary>Adds one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="body">What it does beside noting the call, in bash.</param>
    public void Add(string name, string body)
    {
        var file = Path.Combine(Folder, name);
        File.WriteAllText(file, $"#!/usr/bin/env bash\necho \"{name} $*\" >> '{Log}'\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
