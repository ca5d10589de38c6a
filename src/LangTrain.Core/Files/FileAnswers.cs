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
            Status = file.State switch { FileState.Ready => "processed", FileState.Assembling => "uploaded", _ => "error" },
            StatusDetails = file.StateReason,
            Sha256 = file.State == FileState.Ready ? file.Sha256 : null,
        };
    }
}
