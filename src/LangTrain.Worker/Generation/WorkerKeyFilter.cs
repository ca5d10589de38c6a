using System.Security.Cryptography;
using System.Text;

namespace LangTrain.Worker.Generation;

/// <summary>Lets through only calls that carry the worker key.</summary>
internal sealed class WorkerKeyFilter(WorkerOptions options) : IEndpointFilter
{
    // Hashes are compared, so that the time taken says nothing of the key, its length included.
    private readonly byte[] _expected = SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + options.Key));

    /// <inheritdoc/>
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(context.HttpContext.Request.Headers.Authorization.ToString()));
        return CryptographicOperations.FixedTimeEquals(given, _expected)
            ? next(context)
            : ValueTask.FromResult<object?>(Results.StatusCode(StatusCodes.Status401Unauthorized));
    }
}
