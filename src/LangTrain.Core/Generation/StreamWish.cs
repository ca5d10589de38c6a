using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>Whether an answer is to come in pieces.</summary>
/// <param name="Stream">In pieces.</param>
/// <param name="IncludeUsage">With a last chunk that carries the usage.</param>
public sealed record StreamWish(bool Stream, bool IncludeUsage)
{
    /// <summary>Reads <c>stream</c> and <c>stream_options</c>.</summary>
    public static StreamWish FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var stream = request.Flag("stream") ?? false;
        if (request.Object("stream_options") is not { } options)
        {
            return new StreamWish(stream, false);
        }

        var usage = options.Flag("include_usage") ?? false;
        if (options.Flag("include_obfuscation") == true)
        {
            request.Problems.Add(options.At("include_obfuscation"), "stream_options.include_obfuscation is not supported.", "unsupported_parameter");
        }

        options.RefuseUnknownKeys();
        if (!stream)
        {
            request.Problems.Add("stream_options", "stream_options is allowed with stream: true only.");
        }

        return new StreamWish(stream, usage);
    }
}
