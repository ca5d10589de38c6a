using LangTrain.Contracts.Files;

namespace LangTrain.Core.Files;

/// <summary>Files as they are shown.</summary>
public static class FileAnswers
{
    /// <summary>A file.</summary>
    public static FileAnswer ToAnswer(this StoredFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new()
        {
            Id = file.Id,
            Bytes = file.Bytes,
            CreatedAt = file.CreatedAt.ToUnixTimeSeconds(),
            ExpiresAt = file.ExpiresAt?.ToUnixTimeSeconds(),
            Filename = file.Filename,
            Purpose = file.Purpose,
            Sha256 = file.Sha256,
        };
    }
}
