using System.Text.Json.Serialization.Metadata;
using LangTrain.Contracts;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Http;

/// <summary>Makes the answers of function methods.</summary>
internal static class Answer
{
    /// <summary>Type of JSON bodies.</summary>
    public const string JsonType = "application/json";

    /// <summary>200 (or another status) with a JSON body, written with <see cref="ApiJson.Wire"/>.</summary>
    public static IResult Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => TypedResults.Json(value, type, statusCode: status);

    /// <summary>200 with JSON that is text already.</summary>
    public static IResult JsonText(string json, int status = StatusCodes.Status200OK, string mediaType = JsonType) => TypedResults.Text(json, mediaType, statusCode: status);

    /// <summary>204.</summary>
    public static IResult Nothing() => TypedResults.NoContent();
}
