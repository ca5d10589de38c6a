namespace LangTrain.Modeling.Tests;

/// <summary>Finds the folder of shared material beside the repository, where a machine has it.</summary>
internal static class SharedModels
{
    public static string Stories260K()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Directory.Packages.props")))
            {
                string folder = Path.GetFullPath(Path.Combine(at.FullName, "..", "shared", "models", "stories260K"));
                if (Directory.Exists(folder))
                {
                    return folder;
                }
            }
        }

        Assert.Skip("../shared/models/stories260K is not beside this repository.");
        return "";
    }
}
