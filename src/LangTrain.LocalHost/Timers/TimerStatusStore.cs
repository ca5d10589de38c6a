using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.LocalHost.Timers;

/// <summary>Where the schedules of timers stand, kept in storage so that a missed run is noticed after a restart.</summary>
internal sealed class TimerStatusStore(BlobContainerClient container)
{
    /// <summary>The status of a timer, or null where it never ran.</summary>
    public async Task<ScheduleStatus?> ReadAsync(string function, CancellationToken cancellation)
    {
        try
        {
            var content = await container.GetBlobClient(Name(function)).DownloadContentAsync(cancellation);
            return JsonSerializer.Deserialize<ScheduleStatus>(content.Value.Content);
        }
        catch (RequestFailedException absent) when (absent.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Writes the status of a timer.</summary>
    public async Task WriteAsync(string function, ScheduleStatus status, CancellationToken cancellation)
    {
        await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
        await container.GetBlobClient(Name(function)).UploadAsync(BinaryData.FromObjectAsJson(status), overwrite: true, cancellation);
    }

    private static string Name(string function) => $"timers/{function}.json";
}
