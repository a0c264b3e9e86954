@faults @chat
Feature: What client libraries make of faults
  Real libraries ask a real server, and what it says is corrupted on its way. A library repeats what it may repeat, raises
  where a reply is not whole, and does not wait for ever.

  Scenario: <client> asks again as it is told, and gets its answer
    Given the next 2 requests get the status 429 and may retry after 1s
    When the client <client> does "chat" with:
      | prompt  | What is the capital of France? |
      | retries | 2                              |
    Then the client's "text" mentions "Paris"
    And the client made 3 requests

  Scenario: <client> asks an overloaded server again
    Given the next 1 requests get the status 503
    When the client <client> does "chat" with:
      | prompt  | What is the capital of France? |
      | retries | 1                              |
    Then the client's "text" mentions "Paris"
    And the client made 2 requests

  Scenario: <client> gives up in the end, and says why
    Given requests get the status 429
    When the client <client> tries "chat" with:
      | prompt  | What is the capital of France? |
      | retries | 1                              |
    Then the client fails with "RateLimitError"
    And the client's "error.status" is 429
    And the client made 2 requests

  @stream
  Scenario: <client> raises where a stream is cut
    Given the connection is cut after 3 events
    When the client <client> tries "stream" with:
      | prompt | What is the capital of France? |
    Then the client's "error" exists
    And the rule W011 is broken
    And the rule W061 is broken

  Scenario: <client> does not wait for ever for an answer
    Given requests are delayed by 50s
    When the client <client> tries "chat" with:
      | prompt  | What is the capital of France? |
      | timeout | 3                              |
    Then the client's "error" exists
    And the client's "text" does not exist

  # The limit of the package for Node ends with the head of a reply.
  @stream
  Scenario: openai-python does not wait for ever for a stream that stands still
    Given streams stand still after 3 events
    When the client openai-python tries "stream" with:
      | prompt  | What is the capital of France? |
      | timeout | 3                              |
    Then the client's "error" exists

  Scenario: <client> raises where nobody listens
    Given the connection is refused
    When the client <client> tries "chat" with:
      | prompt | What is the capital of France? |
    Then the client fails with "APIConnectionError"
